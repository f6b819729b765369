"""The rating model: transformed features to stars, known users and items or not."""

import numpy as np
import tensorflow as tf

from components.wide_deep_trainer import rating_features as features
from components.wide_deep_trainer.rating_config import RatingTrainerConfig
from components.wide_deep_trainer.rating_factors import Factors, Session
from components.wide_deep_trainer.rating_history import History
from components.wide_deep_trainer.rating_network import Network

__all__ = ["RatingModel"]

_FEWEST_STARS, _MOST_STARS = 0.5, 5.0


class RatingModel(tf.keras.Model):
    """Predicts ratings by the network or the factors that `config.model_type` names.

    The last row of each table stands for all users, or items, that are not in the vocabulary. To
    train it, a step puts it in the place of an id that occurs n times with probability
    1 / (1 + n), about the chance that its next occurrence would have been its first. A user who is
    replaced has no history either.
    """

    def __init__(
        self,
        config: RatingTrainerConfig,
        train: dict[str, np.ndarray],
        *,
        user_vocabulary: int,
        item_vocabulary: int,
    ):
        """Creates the variables.

        Args:
            config: All settings.
            train: The transformed train split: "factors" remembers it, and both learn from it how
                often each user and item occurs.
            user_vocabulary: Users known; tables have one row more.
            item_vocabulary: Items known; tables have one row more.
        """
        super().__init__(name=config.model_type)
        rows = {features.USER_ROW: user_vocabulary + 1, features.ITEM_ROW: item_vocabulary + 1}
        self._unknown = {name: count - 1 for name, count in rows.items()}
        self._replace_rate = {
            name: 1 / (1 + np.bincount(train[name], minlength=count)).astype(np.float32)
            for name, count in rows.items()
        }
        self.network = self.factors = self.history = self.session = None
        if config.model_type == "deep":
            self.network = Network(config, *rows.values())
        else:
            mean = float(np.mean(train[features.RATING], dtype=np.float64))
            self.factors = Factors(config, *rows.values(), mean)
            if config.neighbours:
                self.history = History(train, config.neighbours)
                self.session = Session(config.ensemble_size)

    def call(self, columns: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns stars, float32 [batch], within the scale of ratings."""
        stars, _ = self._members(columns, seed=None)
        return tf.clip_by_value(tf.reduce_mean(stars, axis=1), _FEWEST_STARS, _MOST_STARS)

    def loss(self, columns: dict[str, tf.Tensor], seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns a training step's mean squared error, in stars squared, and its objective.

        The squared error of rating / 5 is a 25th of it, which is all the same to Adam.

        Args:
            columns: Transformed features by name, with the rating.
            seed: int32[2] that determines what is dropped and replaced.
        """
        stars, penalty = self._members(columns, seed)
        # Each member has its own loss: that of their mean would let them lean on each other.
        errors = tf.square(stars - columns[features.RATING][:, tf.newaxis])
        objective = tf.reduce_sum(errors + penalty, axis=1)
        return tf.reduce_mean(errors), tf.reduce_mean(objective)

    def _members(
        self, columns: dict[str, tf.Tensor], seed: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns stars and L2 penalties, float32 [batch, members], to train with if seeded."""
        neighbours = self.history(columns) if self.history else None
        if seed is not None:
            columns = self._with_unknown(columns, seed)
        if self.network:
            stars = self.network(columns, seed=seed)
            return stars, tf.zeros_like(stars)
        embedded = self.factors.embed(columns)
        stars = self.factors(embedded, columns[features.GENRE_MASK])
        if neighbours:
            known = tf.not_equal(columns[features.USER_ROW], self._unknown[features.USER_ROW])
            neighbours = neighbours._replace(present=neighbours.present & known[:, tf.newaxis])
            stars += self.session(self.factors.surprise(embedded, neighbours), neighbours)
        return stars, self.factors.penalty(embedded)

    def _with_unknown(self, columns: dict[str, tf.Tensor], seed: tf.Tensor) -> dict[str, tf.Tensor]:
        replaced = dict(columns)
        for place, (name, unknown) in enumerate(self._unknown.items()):
            rows = columns[name]
            # Networks fold small numbers into the seed for dropout.
            draws = tf.random.stateless_uniform(
                tf.shape(rows), tf.random.experimental.stateless_fold_in(seed, 1000 + place)
            )
            rate = tf.gather(self._replace_rate[name], rows)
            replaced[name] = tf.where(draws < rate, tf.cast(unknown, rows.dtype), rows)
        return replaced
