"""What a rating and its time may be: the one place that knows."""

FEWEST_STARS, MOST_STARS = 0.5, 5.0
"""MovieLens has whole or half stars; what lies between them, such as a mean, is a rating as well.
"""

LATEST_SECOND = 2**32 - 1
"""In the year 2106. In milliseconds, all since February 1970 are later than that."""
