"""Wide & Deep models: a classifier, a rating regressor, and what both are made of."""
