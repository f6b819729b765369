"""Genres in the model: from the packed feature to vectors."""

import tensorflow as tf

from transforms.vectorize_genres import GENRES


def genre_vectors(mask: tf.Tensor) -> tf.Tensor:
    """Returns float32 [..., 19] of 0 and 1 for integers [...] whose bit k is genre k."""
    places = tf.range(len(GENRES), dtype=mask.dtype)
    return tf.cast(tf.bitwise.right_shift(mask[..., tf.newaxis], places) & 1, tf.float32)


def unit_genres(mask: tf.Tensor) -> tf.Tensor:
    """Returns genre vectors scaled to length 1; those without a genre stay 0."""
    vectors = genre_vectors(mask)
    return vectors / tf.sqrt(tf.maximum(tf.reduce_sum(vectors, axis=-1, keepdims=True), 1.0))


def genre_cosine(mask: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Returns the cosine between genre vectors of two masks that broadcast, float32; 0 of none."""
    common = _count(mask & other)
    return common / tf.sqrt(tf.maximum(_count(mask) * _count(other), 1.0))


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.raw_ops.PopulationCount(x=mask), tf.float32)
