"""Biased matrix factorisation with genres and the user's ratings of the same session."""

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.training.weights import kept_weight
from components.wide_deep_trainer.ratings import features
from components.wide_deep_trainer.ratings.config import RatingTrainerConfig
from components.wide_deep_trainer.ratings.genres import genre_cosine, unit_genres
from components.wide_deep_trainer.ratings.implicit import Implicit, describe_sets, no_sets
from components.wide_deep_trainer.ratings.memory import RatingMemory
from components.wide_deep_trainer.ratings.model import RatingModel
from components.wide_deep_trainer.ratings.session import Session
from transforms.vectorize_genres import GENRES

_INITIAL_FACTORS = 0.1


class RatingFactors(RatingModel):
    """Stars as mean + user's bias + item's bias + user's factors . item's factors + session.

    An item's factors are its own plus those of its genres and of the set of users that rated it, so
    that an item with few ratings starts from what these say (Koren, Bell and Volinsky, "Matrix
    factorization techniques for recommender systems", 2009); a user's are its own plus those of the
    set of items. Their biases come from the sets, too. Members are independent models that differ
    in how they start.
    """

    def __init__(
        self,
        config: RatingTrainerConfig,
        train: dict[str, np.ndarray],
        num_users: int,
        num_items: int,
    ):
        """Creates the tables.

        Args:
            config: Widths, members, regularisation, neighbours.
            train: The transformed train split, which the model remembers.
            num_users: Rows of the user tables.
            num_items: Rows of the item tables.
        """
        super().__init__(train[features.USER_ROW], train[features.ITEM_ROW], num_users, num_items)
        self._config = config
        self._unknown_user = num_users - 1
        shape = (config.ensemble_size, config.num_factors)
        self.user_factors = self._factors("user_factors", num_users, *shape)
        self.item_factors = self._factors("item_factors", num_items, *shape)
        self.genre_factors = self._factors("genre_factors", len(GENRES), *shape)
        self.user_bias = self._biases("user_bias", [num_users, config.ensemble_size])
        self.item_bias = self._biases("item_bias", [num_items, config.ensemble_size])
        mean = float(np.mean(train[features.RATING], dtype=np.float64))
        self.mean = self._biases("mean", [config.ensemble_size], mean)
        if config.causal:
            sets = no_sets(num_users, num_items)
        else:
            rows = train[features.USER_ROW], train[features.ITEM_ROW]
            sets = describe_sets(*rows, num_users, num_items, config.implicit_width)
        self.user_sets = Implicit("user_sets", sets.users, *shape)
        self.item_sets = Implicit("item_sets", sets.items, *shape)
        self.memory = RatingMemory(train, config.neighbours, config.causal)
        genre_masks = np.zeros(num_items, np.int64)
        genre_masks[train[features.ITEM_ROW]] = train[features.GENRE_MASK]
        self.genre_masks = kept_weight(self, "genre_masks", genre_masks)
        self.session = Session(config.ensemble_size)

    def members(
        self,
        columns: dict[str, tf.Tensor],
        users: tf.Tensor,
        items: tf.Tensor,
        seed: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See RatingModel; nothing is dropped."""
        del seed
        user, item = tf.gather(self.user_factors, users), tf.gather(self.item_factors, items)
        user_bias, item_bias = tf.gather(self.user_bias, users), tf.gather(self.item_bias, items)
        of_user, of_user_bias = self.user_sets(users)
        of_item, of_item_bias = self.item_sets(items)
        of_item += self._of_genres(columns)
        from_user = self.mean + user_bias + of_user_bias
        stars = from_user + item_bias + of_item_bias
        stars += tf.reduce_sum((user + of_user) * (item + of_item), axis=-1)

        near = self.memory(columns)
        item_biases = self.item_bias + self.item_sets.biases()
        expected = from_user[:, tf.newaxis] + tf.gather(item_biases, near.items)
        known = tf.not_equal(users, self._unknown_user)[:, tf.newaxis]
        stars += self.session(
            # Koren's term takes what was expected as given, too: with 32 neighbours a rating the
            # gradient into it is a third of a step, and improves nothing.
            tf.stop_gradient(near.ratings[:, :, tf.newaxis] - expected),
            near.seconds,
            genre_cosine(
                columns[features.GENRE_MASK][:, tf.newaxis], tf.gather(self.genre_masks, near.items)
            ),
            near.present & known,
        )
        penalty = self._penalty(user, user_bias, tf.gather(self._user_rarity, users))
        penalty += self._penalty(item, item_bias, tf.gather(self._item_rarity, items))
        penalty += self._config.implicit_regularization * (
            self.user_sets.l2() + self.item_sets.l2()
        )
        return stars, penalty

    def _penalty(self, factors: tf.Tensor, bias: tf.Tensor, rarity: tf.Tensor) -> tf.Tensor:
        """Returns the L2 of rows in a batch, [batch, members].

        Each example of a row that occurs n times bears about an n-th of the row's L2, which is
        then that of a Gaussian prior, however often the row occurs.
        """
        l2 = self._config.factor_regularization * tf.reduce_sum(tf.square(factors), axis=-1)
        l2 += self._config.bias_regularization * tf.square(bias)
        return rarity[:, tf.newaxis] * l2

    def _of_genres(self, columns: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns the sum of the genres' factors over the root of their number."""
        return tf.tensordot(unit_genres(columns[features.GENRE_MASK]), self.genre_factors, 1)

    def _factors(self, name: str, rows: int, members: int, width: int) -> tf.Variable:
        normal = keras.initializers.RandomNormal(stddev=_INITIAL_FACTORS)
        return self.add_weight(name, [rows, members, width], initializer=normal)

    def _biases(self, name: str, shape: list[int], value: float = 0.0) -> tf.Variable:
        return self.add_weight(name, shape, initializer=keras.initializers.Constant(value))
