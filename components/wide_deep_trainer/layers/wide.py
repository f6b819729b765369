"""The linear half of Wide & Deep (Cheng et al., arXiv:1606.07792)."""

import tensorflow as tf
import tf_keras as keras


class Wide(keras.layers.Layer):
    """A linear model of categories: one weight for each id of each column."""

    def __init__(self, sizes: dict[str, int]):
        """Creates the layer.

        Args:
            sizes: The number of ids of each column, by its name.
        """
        super().__init__(name="wide")
        self._columns = list(sizes)
        # All columns' weights lie in one table, so that a step is one lookup and one update.
        starts = [sum(list(sizes.values())[:i]) for i in range(len(sizes))]
        self._starts = tf.constant(starts, tf.int64)
        self.weights_table = self.add_weight("weights", [sum(sizes.values())], initializer="zeros")
        self.bias = self.add_weight("bias", [], initializer="zeros")

    def call(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns the logits, float32 [batch, 1], of int64 columns [batch]."""
        ids = tf.stack([features[name] for name in self._columns], axis=1) + self._starts
        logits = tf.reduce_sum(tf.gather(self.weights_table, ids), axis=1)
        return (logits + self.bias)[:, tf.newaxis]
