"""Wide & Deep models: the census classifier and the MovieLens rating regressor."""
