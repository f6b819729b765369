"""The regressor of ratings: deep, by factors, or both."""
