"""TFX Transform's preprocessing_fn for NCF: raw ids to embedding rows."""

from typing import Any

from components.ncf_trainer import features
from components.training.vocabulary import to_rows


def preprocessing_fn(
    inputs: dict[str, Any], custom_config: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Maps raw user and item ids to rows of the embedding tables.

    The vocabularies are those of the train split, most frequent id first. An id that is not in
    them, such as an item that was only ever held out, gets the row after the last.

    Args:
        inputs: `user_id` [batch, 1], int64 or string, `item_id` of the same type and `label`
            float32, both sparse with one value a candidate.
        custom_config: Not used; Transform passes it to every preprocessing_fn.

    Returns:
        `user_row` int64 [batch, 1], `item_row` int64 sparse, and `label` as it came.
    """
    del custom_config
    items = inputs[features.ITEM_ID]
    return {
        features.USER_ROW: to_rows(inputs[features.USER_ID], features.USER_VOCABULARY),
        features.ITEM_ROW: items.with_values(to_rows(items.values, features.ITEM_VOCABULARY)),
        features.LABEL: inputs[features.LABEL],
    }
