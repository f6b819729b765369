"""Models that read a user's items in order, and score every item by them."""
