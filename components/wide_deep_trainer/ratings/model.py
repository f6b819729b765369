"""What all rating models share: the loss, and answers for users and items never seen."""

import abc

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.wide_deep_trainer.ratings import features
from transforms.parsing.rating_scale import FEWEST_STARS, MOST_STARS


class RatingModel(keras.layers.Layer, abc.ABC):
    """Predicts ratings, by one or several members whose mean is the prediction.

    The last row of a table of users, or items, stands for all that are not in the vocabulary. To
    train it, a step puts it in the place of an id that occurs n times with probability
    1 / (1 + n), about the chance that its next occurrence would have been its first.
    """

    def __init__(self, users: np.ndarray, items: np.ndarray, num_users: int, num_items: int):
        """Counts how often each user and item occurs.

        Args:
            users: The user rows of the train split.
            items: The item rows of the train split.
            num_users: Rows of a user table.
            num_items: Rows of an item table.
        """
        super().__init__()
        self._unknown_user, self._unknown_item = num_users - 1, num_items - 1
        self._user_rarity = _rarity(users, num_users)
        self._item_rarity = _rarity(items, num_items)

    @abc.abstractmethod
    def members(
        self,
        columns: dict[str, tf.Tensor],
        users: tf.Tensor,
        items: tf.Tensor,
        seed: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns stars and L2 penalties, float32 [batch, members] each.

        Args:
            columns: Transformed features by name.
            users: The user rows to look up.
            items: The item rows to look up.
            seed: int32[2] that determines what is dropped; None drops nothing.
        """

    def call(self, columns: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns stars, float32 [batch], within the scale of ratings."""
        stars, _ = self.members(
            columns, columns[features.USER_ROW], columns[features.ITEM_ROW], None
        )
        return tf.clip_by_value(tf.reduce_mean(stars, axis=1), FEWEST_STARS, MOST_STARS)

    def loss(self, columns: dict[str, tf.Tensor], seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns a training step's mean squared error, in stars squared, and its objective.

        The squared error of rating / 5 is a 25th of it, which is all the same to Adam.

        Args:
            columns: Transformed features by name, with the rating.
            seed: int32[2] that determines what is dropped and replaced.
        """
        user_seed, item_seed, seed = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
        users = _replaced(
            columns[features.USER_ROW], self._unknown_user, self._user_rarity, user_seed
        )
        items = _replaced(
            columns[features.ITEM_ROW], self._unknown_item, self._item_rarity, item_seed
        )
        stars, penalty = self.members(columns, users, items, seed)
        # Each member has its own loss: that of their mean would let them lean on each other.
        errors = tf.square(stars - columns[features.RATING][:, tf.newaxis])
        objective = tf.reduce_sum(errors + penalty, axis=1)
        return tf.reduce_mean(errors), tf.reduce_mean(objective)


def _rarity(rows: np.ndarray, count: int) -> np.ndarray:
    """Returns 1 / (1 + occurrences) of each row of a table, float32 [count]."""
    occurrences = np.bincount(rows, minlength=count)
    # In an epoch, the row for unknown ids takes the place of nearly each other row once.
    occurrences[-1] = count - 1
    return (1 / (1 + occurrences)).astype(np.float32)


def _replaced(rows: tf.Tensor, unknown: int, rarity: np.ndarray, seed: tf.Tensor) -> tf.Tensor:
    draws = tf.random.stateless_uniform(tf.shape(rows), seed)
    return tf.where(draws < tf.gather(rarity, rows), tf.cast(unknown, rows.dtype), rows)
