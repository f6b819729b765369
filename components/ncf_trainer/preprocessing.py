"""TFX Transform's preprocessing_fn for NCF: raw ids to embedding rows."""

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from components.ncf_trainer import features


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
    return {
        features.USER_ROW: _rows(inputs[features.USER_ID], features.USER_VOCABULARY),
        features.ITEM_ROW: _rows(inputs[features.ITEM_ID], features.ITEM_VOCABULARY),
        features.LABEL: inputs[features.LABEL],
    }


def _rows(ids: tf.Tensor | tf.SparseTensor, vocabulary: str) -> Any:
    return tft.compute_and_apply_vocabulary(ids, num_oov_buckets=1, vocab_filename=vocabulary)
