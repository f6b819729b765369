"""The rating preprocessing_fn: ids to embedding rows, time scaled, genres packed."""

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from components.wide_deep_trainer.ratings import features
from transforms.vectorize_genres import GENRES


def preprocessing_fn(
    inputs: dict[str, tf.Tensor], custom_config: dict[str, Any] | None = None
) -> dict[str, tf.Tensor]:
    """Transforms a batch of ratings.

    The vocabularies are those of the train split, most frequent id first; an id that is not in
    them gets the row after the last.

    Args:
        inputs: `user_id`, `item_id` and `timestamp` int64 [batch, 1], `genres` int64 [batch, 19]
            of 0 and 1, `rating` float32 [batch, 1].
        custom_config: Not used; Transform passes it to every preprocessing_fn.

    Returns:
        Tensors [batch]: `user_row`, `item_row`, `timestamp` (as it came) and `genre_mask` int64,
        `scaled_time` (mean 0, variance 1) and `rating` (as it came) float32.
    """
    del custom_config
    columns = {name: tf.squeeze(x, 1) for name, x in inputs.items() if name != features.GENRES}
    time = columns[features.TIMESTAMP]
    bits = tf.constant([1 << place for place in range(len(GENRES))], tf.int64)
    return {
        features.USER_ROW: _rows(columns[features.USER_ID], features.USER_VOCABULARY),
        features.ITEM_ROW: _rows(columns[features.ITEM_ID], features.ITEM_VOCABULARY),
        features.TIMESTAMP: time,
        features.SCALED_TIME: tf.cast(tft.scale_to_z_score(tf.cast(time, tf.float64)), tf.float32),
        features.GENRE_MASK: tf.reduce_sum(inputs[features.GENRES] * bits, axis=1),
        features.RATING: columns[features.RATING],
    }


def _rows(ids: tf.Tensor, vocabulary: str) -> tf.Tensor:
    return tft.compute_and_apply_vocabulary(ids, num_oov_buckets=1, vocab_filename=vocabulary)
