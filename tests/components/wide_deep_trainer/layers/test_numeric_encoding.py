import itertools

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.wide_deep_trainer.layers.numeric_encoding import piecewise_linear, quantile_position

NUMBERS = st.integers(-50, 50).map(float)


def reference(value, edges):
    """The encoding as its authors define it, cut off at the outer edges."""
    bins = itertools.pairwise(edges)
    return [float(np.clip((value - low) / (high - low), 0, 1)) for low, high in bins]


@settings(max_examples=40, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=12), st.lists(NUMBERS, min_size=1, max_size=12))
def test_encodings_equal_the_definition(values, boundaries):
    boundaries = np.sort(boundaries).astype(np.float32)
    edges = np.unique(boundaries)
    position = quantile_position(tf.constant(values), tf.constant(boundaries))
    encoded = piecewise_linear(position, 12).numpy()
    expected = np.array([reference(value, edges) for value in values]).reshape(len(values), -1)
    np.testing.assert_allclose(encoded[:, : len(edges) - 1], expected, atol=1e-5)
    assert not encoded[:, len(edges) - 1 :].any()
    np.testing.assert_allclose(position, expected.sum(axis=1), atol=1e-5)


def test_a_batch_of_features_is_encoded_along_a_new_axis():
    encoded = piecewise_linear(tf.constant([[0.5, 2.0], [0.0, 1.25]]), 3)
    np.testing.assert_allclose(
        encoded, [[[0.5, 0, 0], [1, 1, 0]], [[0, 0, 0], [1, 0.25, 0]]], atol=1e-7
    )
