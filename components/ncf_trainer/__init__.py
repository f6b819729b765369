"""Neural collaborative filtering: preprocessing, negative sampling, models, training, export."""
