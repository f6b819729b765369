"""Names of the features and vocabularies that preprocessing, training and serving share."""

USER_ID = "user_id"
ITEM_ID = "item_id"
LABEL = "label"
HISTORY = "history"

# Embedding rows: what the raw ids become.
USER_ROW = "user_row"
ITEM_ROW = "item_row"

USER_VOCABULARY = "users"
ITEM_VOCABULARY = "items"
VOCABULARIES = (USER_VOCABULARY, ITEM_VOCABULARY)
