"""Exact negative sampling on the training device, without rejection."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

_DRAW_BITS = 31


class Untouched(NamedTuple):
    """An index of the items that each user has not touched.

    With a user's k distinct items sorted as s[0..k-1], the values s[j] - j never decrease, and
    the r-th item (from 0) that the user has not touched is r plus the number of them that are
    at most r. One flat sorted array of `user * stride + s[j] - j` answers that for any user by
    binary search.

    Attributes:
        keys: The flat sorted array, [touched pairs].
        start: Where each user's segment of `keys` begins, [users].
        free: How many items each user has not touched, [users].
        stride: Scalar, the number of items plus one.
    """

    keys: tf.Tensor
    start: tf.Tensor
    free: tf.Tensor
    stride: tf.Tensor


def untouched_index(
    users: np.ndarray, items: np.ndarray, num_users: int, num_items: int
) -> Untouched:
    """Builds the index as numpy arrays from (user, item) pairs in any order.

    Args:
        users: The user of each pair, in [0, num_users).
        items: The item of each pair, in [0, num_items). A repeated pair counts once.
        num_users: Number of users.
        num_items: Number of items to sample from.

    Returns:
        int32 arrays when the keys fit in int32, else int64.
    """
    stride = num_items + 1
    pairs = users.astype(np.int64) * stride + items
    # Pairs come by user, and only a stable sort gains from that: a fifth of np.unique's time.
    pairs.sort(kind="stable")
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    touched = np.bincount(pairs // stride, minlength=num_users)
    start = np.cumsum(touched) - touched
    keys = pairs - (np.arange(len(pairs)) - np.repeat(start, touched))
    dtype = np.int32 if num_users * stride <= np.iinfo(np.int32).max else np.int64
    return Untouched(
        keys=keys.astype(dtype),
        start=start.astype(dtype),
        free=(num_items - touched).astype(dtype),
        stride=np.asarray(stride, dtype),
    )


def draw(shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
    """Returns uniform 31-bit integers, int64 of `shape`, decided by `seed`, two integers."""
    bits = tf.random.stateless_uniform(shape, seed, None, None, tf.int32)
    return tf.cast(tf.bitwise.bitwise_and(bits, 2**_DRAW_BITS - 1), tf.int64)


def sample_untouched(index: Untouched, users: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Turns draws into items that each user has not touched, uniformly and with replacement.

    Args:
        index: The index.
        users: Users, [batch], of the index's dtype.
        draws: What `draw` gives, [batch, count].

    Returns:
        Items [batch, count] of the index's dtype. A user who has touched every item gets
        `num_items`, the out-of-vocabulary row.
    """
    free = tf.cast(tf.gather(index.free, users), tf.int64)[:, tf.newaxis]
    # A 31-bit fraction of `free`: off uniform by less than free / 2**31.
    rank = tf.cast(tf.bitwise.right_shift(draws * free, _DRAW_BITS), users.dtype)
    query = rank + (users * index.stride)[:, tf.newaxis]
    below = tf.searchsorted(index.keys, tf.reshape(query, [-1]), side="right", out_type=users.dtype)
    return rank + tf.reshape(below, tf.shape(rank)) - tf.gather(index.start, users)[:, tf.newaxis]
