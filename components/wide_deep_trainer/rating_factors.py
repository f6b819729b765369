"""Biased matrix factorisation with genres and a neighbourhood in time."""

from typing import NamedTuple

import tensorflow as tf

from components.wide_deep_trainer import rating_features as features
from components.wide_deep_trainer.rating_config import RatingTrainerConfig
from components.wide_deep_trainer.rating_genres import genre_vectors
from components.wide_deep_trainer.rating_history import Neighbours
from transforms.vectorize_genres import GENRES

__all__ = ["Embedded", "Factors", "Session"]

_INITIAL_FACTORS = 0.1
# From the click on the next film of a page to the visits of a month, in seconds.
_TIME_SCALES = (2.0, 8.0, 30.0, 120.0, 600.0, 3600.0, 86_400.0, 2_600_000.0)
# A few shared weights against tables of thousands of rows: Adam moves every weight by about the
# learning rate, so these are stored as a tenth of what they stand for.
_GAIN = 10.0


class Embedded(NamedTuple):
    """What a batch looks up.

    Attributes:
        user: Factors of the user, [batch, members, factors].
        item: Factors of the item without its genres', [batch, members, factors].
        user_bias: [batch, members].
        item_bias: [batch, members].
    """

    user: tf.Tensor
    item: tf.Tensor
    user_bias: tf.Tensor
    item_bias: tf.Tensor


class Factors(tf.keras.layers.Layer):
    """Stars as mean + user's bias + item's bias + user's factors . item's factors.

    An item's factors are its own plus those of its genres, so that an item with few ratings starts
    from what its genres say (Koren, Bell and Volinsky, "Matrix factorization techniques for
    recommender systems", 2009). Several members are independent models that differ in how they
    start.
    """

    def __init__(
        self, config: RatingTrainerConfig, num_users: int, num_items: int, mean_rating: float
    ):
        """Creates the tables.

        Args:
            config: Widths, members and regularisation.
            num_users: Rows of the user tables.
            num_items: Rows of the item tables.
            mean_rating: What all biases start from, in stars.
        """
        super().__init__(name="factors")
        self._config = config
        members, width = config.ensemble_size, config.num_factors
        normal = tf.keras.initializers.RandomNormal(stddev=_INITIAL_FACTORS)
        self.user_factors = self.add_weight(
            "user_factors", [num_users, members, width], initializer=normal
        )
        self.item_factors = self.add_weight(
            "item_factors", [num_items, members, width], initializer=normal
        )
        self.genre_factors = self.add_weight(
            "genre_factors", [len(GENRES), members, width], initializer=normal
        )
        self.user_bias = self.add_weight("user_bias", [num_users, members], initializer="zeros")
        self.item_bias = self.add_weight("item_bias", [num_items, members], initializer="zeros")
        self.mean = self.add_weight(
            "mean", [members], initializer=tf.keras.initializers.Constant(mean_rating)
        )

    def embed(self, columns: dict[str, tf.Tensor]) -> Embedded:
        """Looks up the rows of a batch."""
        users, items = columns[features.USER_ROW], columns[features.ITEM_ROW]
        return Embedded(
            user=tf.gather(self.user_factors, users),
            item=tf.gather(self.item_factors, items),
            user_bias=tf.gather(self.user_bias, users),
            item_bias=tf.gather(self.item_bias, items),
        )

    def call(self, embedded: Embedded, genre_mask: tf.Tensor) -> tf.Tensor:
        """Returns stars, float32 [batch, members], of what `embed` returned."""
        genres = genre_vectors(genre_mask)
        count = tf.reduce_sum(genres, axis=1, keepdims=True)
        genres /= tf.sqrt(tf.maximum(count, 1.0))
        item = embedded.item + tf.tensordot(genres, self.genre_factors, 1)
        interaction = tf.reduce_sum(embedded.user * item, axis=-1)
        return self.mean + embedded.user_bias + embedded.item_bias + interaction

    def penalty(self, embedded: Embedded) -> tf.Tensor:
        """Returns the L2 term of a batch, float32 [batch, members]."""
        factors = tf.square(embedded.user) + tf.square(embedded.item)
        biases = tf.square(embedded.user_bias) + tf.square(embedded.item_bias)
        return (
            self._config.factor_regularization * tf.reduce_sum(factors, axis=-1)
            + self._config.bias_regularization * biases
        )

    def surprise(self, embedded: Embedded, neighbours: Neighbours) -> tf.Tensor:
        """Returns how far the neighbours' ratings are from the biases, [batch, n, members]."""
        expected = (
            self.mean
            + embedded.user_bias[:, tf.newaxis]
            + tf.gather(self.item_bias, neighbours.items)
        )
        return neighbours.ratings[:, :, tf.newaxis] - expected


class Session(tf.keras.layers.Layer):
    """The mood of the moment: a mean of the user's surprises nearby, weighted by time.

    People rate in sessions, a page of similar films at a time, so what a rating a few seconds away
    was above or below its biases says much of this one. The weight of a rating falls with its
    distance in time as a sum of exponentials, all of whose heights are learned, as are the weight
    of no surprise at all and the share of the mean that counts. The neighbourhood term of Koren's
    "Factorization meets the neighborhood" (2008), with time in the place of likeness.
    """

    def __init__(self, members: int):
        """Creates the weights of `members` models."""
        super().__init__(name="session")
        self._members = members
        self.heights = self.add_weight(
            "heights", [len(_TIME_SCALES), members], initializer=_constant(-0.1)
        )
        self.prior = self.add_weight("prior", [members], initializer="zeros")
        self.share = self.add_weight("share", [members], initializer="zeros")

    def call(self, surprise: tf.Tensor, neighbours: Neighbours) -> tf.Tensor:
        """Returns what to add to a prediction, float32 [batch, members].

        Args:
            surprise: Of each neighbour, float32 [batch, neighbours, members].
            neighbours: The ratings.
        """
        near = tf.exp(-neighbours.seconds[:, :, tf.newaxis] / tf.constant(_TIME_SCALES))
        near *= tf.cast(neighbours.present, tf.float32)[:, :, tf.newaxis]
        weights = tf.tensordot(near, tf.exp(_GAIN * self.heights), 1)
        total = tf.reduce_sum(weights, axis=1) + tf.exp(_GAIN * self.prior)
        return tf.exp(_GAIN * self.share) * tf.reduce_sum(weights * surprise, axis=1) / total


def _constant(value: float) -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.Constant(value)
