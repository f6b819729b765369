"""The ranks of many held-out items at once, on the device that scored them."""

import math

import tensorflow as tf

from components.ranking_metrics.rank import K


def hits_and_gains(scores: tf.Tensor, present: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns HR@K and NDCG@K of each list, float32 [lists], and whether it counts, bool [lists].

    Ties and scores that are not finite are as `rank_of_held_out` has them. A list of fewer than K
    negatives does not count: among so few, every item is one of the first K.

    Args:
        scores: Higher is better, the held-out item's in the first column, float32 [lists, longest].
        present: Whether there is a candidate, bool [lists, longest].
    """
    ahead = (scores[:, 1:] >= scores[:, :1]) & present[:, 1:]
    rank = 1.0 + tf.reduce_sum(tf.cast(ahead, tf.float32), axis=1)
    finite = tf.reduce_all(tf.math.is_finite(scores) | ~present, axis=1)
    within = rank <= K
    gain = tf.where(within, math.log(2.0) / tf.math.log(rank + 1.0), 0.0)
    not_finite = tf.where(finite, 0.0, math.nan)
    counts = tf.reduce_sum(tf.cast(present[:, 1:], tf.float32), axis=1) >= K
    return tf.cast(within, tf.float32) + not_finite, gain + not_finite, counts
