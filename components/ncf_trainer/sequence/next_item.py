"""The next item in closed form: a ridge regression from a user's decayed history."""

from typing import NamedTuple

import numpy as np
import scipy.linalg
import tensorflow as tf
import tf_keras as keras

from components.ncf_trainer.data import Histories
from components.ncf_trainer.sequence.windows import Windows
from transforms.base.errors import UserError
from transforms.base.memory import free_memory

# The Gram matrix, the right-hand side and the solution.
_MATRICES = 3


class Solution(NamedTuple):
    """What the regression found.

    Attributes:
        weights: Of each item of a history (rows) for each next item (columns), float32
            [items, items].
        loss: The mean over all targets of the squared error and the penalty.
    """

    weights: np.ndarray
    loss: float


def solve_next_item(
    histories: Histories, num_items: int, half_life: float, ridge: float
) -> Solution:
    """Returns W that minimises, over all interactions, |x W - y|^2 + ridge |W|^2 / n, exactly.

    y is the next item, as a vector with a 1 at its place, and x those before it, of which the last
    counts 1 and each other one less by the half-life. This is the session-aware linear model SLIST
    (Choi et al., The Web Conference 2021) with its last term alone, over whole histories.

    With a user's items counted from the end, what two of them add to the Gram matrix depends on
    their places alone, so a user costs as many additions as there are pairs of items.

    Args:
        histories: Of all users.
        num_items: Items in the vocabulary; histories hold no others.
        half_life: After how many items one counts half; 0 for never.
        ridge: The penalty.

    Raises:
        UserError: The matrices do not fit in the memory that is free.
    """
    needed, free = _MATRICES * 4 * num_items**2, free_memory()
    if needed > free:
        raise UserError(
            f"model_type=next_item: {num_items} items take {needed / 2**30:.1f} GiB for "
            f"{_MATRICES} matrices of items by items, and {free / 2**30:.1f} GiB are free; "
            "use a machine with more memory, or model_type=sasrec"
        )
    gram = np.zeros((num_items, num_items), np.float32)
    targets = np.zeros((num_items, num_items), np.float32)
    lengths = np.bincount(histories.owners, minlength=len(histories.users))
    of_pair, of_next = _by_place(int(lengths.max()), half_life)
    end = 0
    for length in lengths.tolist():
        end += length
        # From the last item to the first.
        items = histories.items[end - length : end][::-1]
        at = np.ix_(items, items)
        gram[at] += of_pair[:length, :length]
        targets[at] += of_next[:length, :length]
    count = float(len(histories.items) - np.count_nonzero(lengths))
    gram[np.diag_indices(num_items)] += np.float32(ridge)
    factor = scipy.linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    weights = scipy.linalg.cho_solve(factor, targets, check_finite=False)
    explained = float(np.vdot(weights, targets))
    return Solution(weights, (count - explained) / max(count, 1.0))


def _by_place(length: int, half_life: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a pair of a user's items adds, by their places from the end, float32 each.

    To the Gram matrix: the sum, over all items after both, of the product of their weights. To the
    right-hand side: the weight of the first (row) where the second (column) is the next item.
    """
    decay = _decay(half_life)
    place = np.arange(length)
    apart = place[:, np.newaxis] - place
    after = np.minimum(place[:, np.newaxis], place)
    times = after if decay == 1 else (1 - decay ** (2.0 * after)) / (1 - decay**2)
    of_pair = decay ** np.abs(apart) * times
    of_next = np.where(apart > 0, decay ** np.maximum(apart - 1.0, 0), 0)
    return of_pair.astype(np.float32), of_next.astype(np.float32)


def _decay(half_life: float) -> float:
    return 0.5 ** (1 / half_life) if half_life else 1.0


class NextItem(keras.layers.Layer):
    """Scores every item by a window's decayed items.

    Attributes:
        weights_table: Of each item of a history for each next item, [items, items].
    """

    def __init__(self, num_items: int, half_life: float):
        """Creates the weights, all 0.

        Args:
            num_items: Items in the vocabulary.
            half_life: As `solve_next_item` takes it.
        """
        super().__init__(name="next_item")
        self._num_items, self._half_life = num_items, half_life
        self.weights_table = self.add_weight(
            "weights", [num_items, num_items], initializer="zeros", trainable=False
        )

    def solve(self, histories: Histories, ridge: float) -> float:
        """Takes the weights that `solve_next_item` finds, and returns their loss."""
        weights, loss = solve_next_item(histories, self._num_items, self._half_life, ridge)
        self.weights_table.assign(weights)
        return loss

    def call(self, windows: Windows) -> tf.Tensor:
        """Returns float32 [batch, items]."""
        known = (windows.places > 0) & (windows.items < self._num_items)
        later = tf.cumsum(tf.cast(known, tf.float32), axis=1, exclusive=True, reverse=True)
        weights = tf.where(known, _decay(self._half_life) ** later, 0.0)
        shape = tf.shape(windows.items)
        batch = tf.broadcast_to(tf.range(shape[0])[:, tf.newaxis], shape)
        place = tf.stack([batch, tf.cast(windows.items, tf.int32)], axis=-1)
        seen = tf.scatter_nd(place, weights, [shape[0], self._num_items + 1])
        return tf.matmul(seen[:, :-1], self.weights_table)
