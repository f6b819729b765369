"""Names of the rating features, raw and transformed."""

USER_ID = "user_id"
ITEM_ID = "item_id"
TIMESTAMP = "timestamp"
"""Seconds since 1970, UTC, raw and transformed: what matters is often a few seconds, which no
float32 of a scaled time can tell apart."""
GENRES = "genres"
RATING = "rating"
"""Stars, raw and transformed."""

USER_ROW = "user_row"
ITEM_ROW = "item_row"
SCALED_TIME = "scaled_time"
GENRE_MASK = "genre_mask"
"""Bit k is genre k: one number a rating to store and to read instead of nineteen."""

USER_VOCABULARY = "user_vocabulary"
ITEM_VOCABULARY = "item_vocabulary"
