"""What the sets of rated items and of rating users say, whatever the stars were."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras
from scipy.sparse import csr_array

from components.training.weights import kept_weight

_INITIAL_FACTORS = 0.1
# The root mean square, over ratings, of the length of a set's vector.
_LENGTH = 1.5
# How many more directions than wanted the search for singular vectors has, and its rounds.
_MORE, _ROUNDS = 28, 4


class Sets(NamedTuple):
    """Vectors of users and items, float32 [rows, width + 1] each; a row without ratings has none.

    The last column is the logarithm of the number of ratings, in standard scores.
    """

    users: np.ndarray
    items: np.ndarray


def describe_sets(
    users: np.ndarray, items: np.ndarray, num_users: int, num_items: int, width: int
) -> Sets:
    """Returns vectors of who rated what.

    With B of ones where a user has rated an item and n their number in a row, they are B V / √n of
    users and B' U / √n of items, with the first singular vectors U, V of D B D', in which D and D'
    divide by √n. A learned matrix on B V / √n is the implicit term of SVD++ (Koren, KDD 2008) with
    items' vectors from the span of V.

    Args:
        users: The user rows of the ratings, int64 [ratings].
        items: Their item rows, likewise.
        num_users: Rows of a user table.
        num_items: Rows of an item table.
        width: Singular vectors; fewer where there are no more users or items.
    """
    rated = csr_array((np.ones(len(users), np.float32), (users, items)), (num_users, num_items))
    # Repeats have been added up.
    rated.data[:] = 1
    user_counts, item_counts = (np.maximum(rated.sum(axis), 1) for axis in (1, 0))
    user_roots, item_roots = np.sqrt(user_counts), np.sqrt(item_counts)
    normal = rated.multiply(1 / user_roots[:, np.newaxis]).multiply(1 / item_roots).tocsr()
    left, right = _singular_vectors(normal, width)
    of_users = rated @ right.T / user_roots[:, np.newaxis]
    of_items = rated.T @ left / item_roots[:, np.newaxis]
    return Sets(_scaled(of_users, user_counts, users), _scaled(of_items, item_counts, items))


def no_sets(num_users: int, num_items: int) -> Sets:
    """Returns vectors without a column, which say nothing."""
    return Sets(*(np.zeros([rows, 0], np.float32) for rows in (num_users, num_items)))


def _singular_vectors(matrix: csr_array, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns about the first singular vectors, [rows, width] and [width, columns].

    There is one fewer of them than rows or columns where these are not more than `width`. They are
    found by subspace iteration (Halko, Martinsson and Tropp, SIAM Review 2011, algorithm 4.4),
    which is exact where the subspace is all there is, and the same each time.
    """
    smaller = min(matrix.shape)
    count = min(width, smaller - 1)
    shape = matrix.shape[1], min(count + _MORE, smaller)
    basis = np.random.default_rng(0).standard_normal(shape, np.float32)
    for _ in range(_ROUNDS):
        basis, _ = np.linalg.qr(matrix.T @ (matrix @ basis))
    left, _, right = np.linalg.svd(matrix @ basis, full_matrices=False)
    return left[:, :count], right[:count] @ basis.T


def _scaled(vectors: np.ndarray, counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns vectors of a common length and standard scores of log counts, side by side."""
    length = np.sqrt(np.mean(np.sum(np.square(vectors), axis=1)[rows]))
    logs = np.log(counts)
    scores = (logs - logs[rows].mean()) / (logs[rows].std() or 1.0)
    return np.column_stack([_LENGTH / length * vectors, scores]).astype(np.float32)


class Implicit(keras.layers.Layer):
    """Factors and a bias as linear functions of the vectors of a table's rows.

    Unlike factors of its own, they are known for a row with a single rating.
    """

    def __init__(self, name: str, vectors: np.ndarray, members: int, num_factors: int):
        """Creates the weights of `members` models, for vectors float32 [rows, width]."""
        super().__init__(name=name)
        width = vectors.shape[1]
        self.vectors = kept_weight(self, "vectors", vectors)
        normal = keras.initializers.RandomNormal(stddev=_INITIAL_FACTORS)
        shape = [width, members, num_factors]
        self.to_factors = self.add_weight("to_factors", shape, initializer=normal)
        self.to_bias = self.add_weight("to_bias", [width, members], initializer="zeros")

    def call(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns factors, [batch, members, factors], and biases, [batch, members], of rows."""
        vectors = tf.gather(self.vectors, rows)
        return tf.tensordot(vectors, self.to_factors, 1), tf.matmul(vectors, self.to_bias)

    def biases(self) -> tf.Tensor:
        """Returns the biases of all rows, [rows, members]."""
        return tf.matmul(self.vectors, self.to_bias)

    def l2(self) -> tf.Tensor:
        """Returns the sum of squares of what makes the factors, [members]."""
        return tf.reduce_sum(tf.square(self.to_factors), axis=[0, 2])
