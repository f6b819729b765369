"""The deep rating regressor: embeddings of user and item, time and genres into a network."""

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.wide_deep_trainer.layers.deep import Deep
from components.wide_deep_trainer.ratings import features
from components.wide_deep_trainer.ratings.config import RatingTrainerConfig
from components.wide_deep_trainer.ratings.genres import genre_vectors
from components.wide_deep_trainer.ratings.model import RatingModel
from transforms.parsing.rating_scale import MOST_STARS


class RatingNetwork(RatingModel):
    """A network that predicts a rating as a share of five stars."""

    def __init__(
        self,
        config: RatingTrainerConfig,
        train: dict[str, np.ndarray],
        num_users: int,
        num_items: int,
    ):
        """Creates the layers.

        Args:
            config: Widths and dropout.
            train: The transformed train split.
            num_users: Rows of the user table.
            num_items: Rows of the item table.
        """
        super().__init__(train[features.USER_ROW], train[features.ITEM_ROW], num_users, num_items)
        self.deep = Deep(
            _Encoder(config, num_users, num_items),
            config.hidden_units,
            activation="sigmoid",
            members=config.ensemble_size,
            dropout=config.dropout,
            mixed_precision=config.mixed_precision,
        )

    def members(
        self,
        columns: dict[str, tf.Tensor],
        users: tf.Tensor,
        items: tf.Tensor,
        seed: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See RatingModel; there is no penalty."""
        looked_up = {**columns, features.USER_ROW: users, features.ITEM_ROW: items}
        stars = MOST_STARS * tf.cast(self.deep(looked_up, dropout_seed=seed), tf.float32)
        return stars, tf.zeros_like(stars)


class _Encoder(keras.layers.Layer):
    """Concatenates both embeddings, each with its norm capped, the scaled time and the genres."""

    def __init__(self, config: RatingTrainerConfig, num_users: int, num_items: int):
        super().__init__(name="encoder")
        self.user_table = self._table("user_table", num_users, config.user_embedding_size)
        self.item_table = self._table("item_table", num_items, config.item_embedding_size)

    def call(self, columns: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.concat(
            [
                _capped(tf.gather(self.user_table, columns[features.USER_ROW])),
                _capped(tf.gather(self.item_table, columns[features.ITEM_ROW])),
                columns[features.SCALED_TIME][:, tf.newaxis],
                genre_vectors(columns[features.GENRE_MASK]),
            ],
            axis=1,
        )

    def _table(self, name: str, rows: int, width: int) -> tf.Variable:
        initializer = keras.initializers.TruncatedNormal(stddev=width**-0.5)
        return self.add_weight(name, [rows, width], initializer=initializer)


def _capped(embedded: tf.Tensor) -> tf.Tensor:
    """Scales down each embedding [batch, width] whose norm is above the root of its width."""
    return tf.clip_by_norm(embedded, embedded.shape[-1] ** 0.5, axes=[-1])
