"""Piecewise-linear encoding of numbers by their quantiles (Gorishniy et al., arXiv:2203.05556).

It comes in two steps, so that an Example carries one float and not one per bin: a position among
the quantiles, which is the sum of the encoding, and the encoding of a position.
"""

import tensorflow as tf


def quantile_position(values: tf.Tensor, boundaries: tf.Tensor) -> tf.Tensor:
    """Returns how many bins lie below each value, with the share of its own bin that does.

    Args:
        values: float32[n].
        boundaries: float32[m], ascending; repeated ones count once.

    Returns:
        float32[n] in [0, m' - 1], where m' is the number of distinct boundaries. Values beyond
        the outer boundaries get those boundaries' positions.
    """
    edges = tf.unique(boundaries).y
    last = tf.size(edges) - 1
    # With a single edge there is no bin: its two ends are equal and every position is 0.
    above = tf.searchsorted(edges, values, side="right")
    upper = tf.clip_by_value(above, tf.minimum(1, last), last)
    lower = tf.maximum(upper - 1, 0)
    low, high = tf.gather(edges, lower), tf.gather(edges, upper)
    share = tf.math.divide_no_nan(values - low, high - low)
    return tf.cast(lower, tf.float32) + tf.clip_by_value(share, 0.0, 1.0)


def piecewise_linear(position: tf.Tensor, bins: int) -> tf.Tensor:
    """Returns the encoding of positions: 1 for bins below, the share for its own, 0 above.

    Args:
        position: float32[...] of `quantile_position`.
        bins: The width of the encoding; bins beyond the boundaries' are always 0.

    Returns:
        float32[..., bins].
    """
    starts = tf.range(bins, dtype=position.dtype)
    return tf.clip_by_value(position[..., tf.newaxis] - starts, 0.0, 1.0)
