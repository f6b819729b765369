"""The ends of histories, as models read them."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.ncf_trainer.data import Histories
from components.training.weights import kept_weight


class Windows(NamedTuple):
    """The latest items of some users, the last one in the last column.

    Attributes:
        items: Embedding rows, integer [batch, length]; the row after the last item's stands for the
            start of a history, and for what is no item.
        places: Position in the history, its start being at 0, integer [batch, length]; -1 before.
    """

    items: tf.Tensor
    places: tf.Tensor


class HistoryTable(keras.layers.Layer):
    """The histories of all users, by their embedding rows.

    Attributes:
        num_items: Items in the vocabulary.
        length: Columns of the windows.
    """

    def __init__(self, histories: Histories, num_users: int, num_items: int, length: int):
        """Creates the variables, which are not trained.

        Args:
            histories: Of all users, whoever trains on them.
            num_users: Users in the vocabulary. Others have no history.
            num_items: Items in the vocabulary.
            length: Columns of the windows.
        """
        super().__init__(name="histories")
        self.num_items, self.length = num_items, length
        owners = histories.users[histories.owners]
        ends = np.cumsum(np.bincount(owners, minlength=num_users + 1))
        self.items = kept_weight(self, "items", histories.items.astype(np.int32))
        self.ends = kept_weight(self, "ends", np.append(0, ends))

    def call(self, users: tf.Tensor) -> Windows:
        """Returns the windows of users by their embedding rows, integer [batch]."""
        starts = tf.gather(self.ends, users)[:, tf.newaxis]
        ends = tf.gather(self.ends, users + 1)[:, tf.newaxis]
        at = ends - self.length + np.arange(self.length)
        items = tf.gather(self.items, tf.clip_by_value(at, 0, self.items.shape[0] - 1))
        return _windows(items, at - starts, self.num_items)


def windows_of(items: tf.Tensor, num_items: int, length: int) -> Windows:
    """Returns the windows of histories that are given.

    Args:
        items: Embedding rows in time order, integer [batch, any]. Rows of no known item may stand
            anywhere between, and are left out.
        num_items: Items in the vocabulary.
        length: Columns of the windows.
    """
    # Enough columns for a window, however short the histories are.
    items = tf.pad(items, [[0, 0], [length, 0]], constant_values=num_items)
    known = items < num_items
    order = tf.argsort(tf.cast(known, tf.int32), axis=1, stable=True)[:, -length:]
    counts = tf.reduce_sum(tf.cast(known, tf.int64), axis=1, keepdims=True)
    ordered = tf.gather(items, order, batch_dims=1)
    return _windows(ordered, counts - length + np.arange(length), num_items)


def _windows(items: tf.Tensor, index: tf.Tensor, num_items: int) -> Windows:
    """Returns windows of items and of their indices in the history, below 0 where there is none."""
    # The start takes the first column only where the history leaves one.
    return Windows(
        items=tf.where(index >= 0, items, tf.cast(num_items, items.dtype)),
        places=tf.cast(tf.maximum(index + 1, -1), tf.int32),
    )
