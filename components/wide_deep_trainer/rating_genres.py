"""Genres in the model: from the packed feature to vectors."""

import tensorflow as tf

from transforms.vectorize_genres import GENRES

__all__ = ["genre_vectors"]


def genre_vectors(mask: tf.Tensor) -> tf.Tensor:
    """Returns float32 [batch, 19] of 0 and 1 for integers [batch] whose bit k is genre k."""
    places = tf.range(len(GENRES), dtype=mask.dtype)
    return tf.cast(tf.bitwise.right_shift(mask[:, tf.newaxis], places) & 1, tf.float32)
