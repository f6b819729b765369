"""The rating preprocessing_fn: ids to embedding rows, time scaled, genres packed."""

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from components.training.vocabulary import to_rows
from components.wide_deep_trainer.ratings import features
from transforms.vectorize_genres import GENRES


def preprocessing_fn(
    inputs: dict[str, tf.RaggedTensor], custom_config: dict[str, Any] | None = None
) -> dict[str, tf.RaggedTensor]:
    """Transforms the ratings of a batch of users.

    The vocabularies are those of the train split, most frequent id first; an id that is not in
    them gets the row after the last.

    Args:
        inputs: `user_id`, `item_id` and `timestamp` int64 and `rating` float32, each
            [batch, ratings], and `genres` int64 [batch, 19 * ratings] of 0 and 1.
        custom_config: Not used; Transform passes it to every preprocessing_fn.

    Returns:
        Ragged [batch, ratings]: `user_row`, `item_row`, `timestamp` (as it came) and `genre_mask`
        int64, `scaled_time` (mean 0, variance 1) and `rating` (as it came) float32.
    """
    del custom_config
    # Nothing depends on whose a rating is, so all of them are one vector.
    flat = {name: column.flat_values for name, column in inputs.items()}
    time = flat[features.TIMESTAMP]
    bits = tf.constant([1 << place for place in range(len(GENRES))], tf.int64)
    genres = tf.reshape(flat[features.GENRES], [-1, len(GENRES)])
    columns = {
        features.USER_ROW: to_rows(flat[features.USER_ID], features.USER_VOCABULARY),
        features.ITEM_ROW: to_rows(flat[features.ITEM_ID], features.ITEM_VOCABULARY),
        features.TIMESTAMP: time,
        features.SCALED_TIME: tf.cast(tft.scale_to_z_score(tf.cast(time, tf.float64)), tf.float32),
        features.GENRE_MASK: tf.reduce_sum(genres * bits, axis=1),
    }
    # Which fails where there is not one value of each for a rating.
    splits = inputs[features.ITEM_ID].row_splits
    lists = {name: tf.RaggedTensor.from_row_splits(x, splits) for name, x in columns.items()}
    # A model that serves is given none, and would fail.
    return {**lists, features.RATING: inputs[features.RATING]}
