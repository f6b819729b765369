"""Weights that a model holds and does not train."""

import numpy as np
import tensorflow as tf
import tf_keras as keras


def kept_weight(layer: keras.layers.Layer, name: str, values: np.ndarray) -> tf.Variable:
    """Returns values as a weight of a layer, of their own type."""
    return layer.add_weight(
        name,
        values.shape,
        dtype=values.dtype,
        initializer=lambda shape, dtype: tf.constant(values, dtype),
        trainable=False,
    )
