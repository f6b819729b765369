"""What the census network sees: two ways to turn transformed features into one vector."""

import tensorflow as tf
import tf_keras as keras

from components.wide_deep_trainer.census.features import (
    CATEGORICAL,
    NUMERIC,
    ONE_HOT,
    REPEATED,
    quantile,
    scaled,
    value,
)
from components.wide_deep_trainer.layers.numeric_encoding import piecewise_linear


class BasicEncoder(keras.layers.Layer):
    """Scaled numbers, one-hot categories and an embedded occupation, as in 2018."""

    def __init__(self, sizes: dict[str, int], embedding_size: int):
        """Creates the layer.

        Args:
            sizes: The number of ids of each categorical feature.
            embedding_size: Width of occupation's embedding.
        """
        super().__init__(name="basic_encoder")
        self._sizes = sizes
        self.occupation = self.add_weight(
            "occupation",
            [sizes["occupation"], embedding_size],
            initializer=keras.initializers.TruncatedNormal(stddev=embedding_size**-0.5),
        )

    def call(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns float32 [batch, width] of transformed features [batch]."""
        numbers = tf.stack([features[scaled(name)] for name in NUMERIC], axis=1)
        one_hots = [tf.one_hot(features[name], self._sizes[name]) for name in ONE_HOT]
        occupation = tf.gather(self.occupation, features["occupation"])
        return tf.concat([numbers, *one_hots, occupation], axis=1)


class EmbeddedEncoder(keras.layers.Layer):
    """Embeddings of all categories, and of numbers by way of a piecewise-linear encoding."""

    def __init__(self, sizes: dict[str, int], embedding_size: int, bins: int):
        """Creates the layer.

        Args:
            sizes: The number of ids of each categorical feature.
            embedding_size: Width of each feature's embedding.
            bins: Width of the piecewise-linear encoding.
        """
        super().__init__(name="embedded_encoder")
        self._bins = bins
        self._columns = [*CATEGORICAL, *(value(name) for name in REPEATED)]
        counts = [sizes[name] for name in self._columns]
        self._starts = tf.constant([sum(counts[:i]) for i in range(len(counts))], tf.int64)
        self.categories = self.add_weight(
            "categories",
            [sum(counts), embedding_size],
            initializer=keras.initializers.RandomNormal(stddev=0.3),
        )
        bound = bins**-0.5
        uniform = keras.initializers.RandomUniform(-bound, bound)
        numbers = len(NUMERIC)
        self.kernel = self.add_weight(
            "kernel", [numbers, bins, embedding_size], initializer=uniform
        )
        self.bias = self.add_weight("bias", [numbers, embedding_size], initializer=uniform)

    def call(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns float32 [batch, width] of transformed features [batch]."""
        ids = tf.stack([features[name] for name in self._columns], axis=1) + self._starts
        categories = tf.gather(self.categories, ids)
        positions = tf.stack([features[quantile(name)] for name in NUMERIC], axis=1)
        encoded = piecewise_linear(positions, self._bins)
        numbers = tf.nn.relu(tf.einsum("bfn,fnd->bfd", encoded, self.kernel) + self.bias)
        flat = [tf.reshape(x, [-1, x.shape[1] * x.shape[2]]) for x in (categories, numbers)]
        return tf.concat(flat, axis=1)
