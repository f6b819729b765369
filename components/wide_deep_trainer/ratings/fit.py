"""A rating model in training, and the errors that it is judged by."""

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tf_keras as keras

from components.training.columnar_training import (
    ColumnarTraining,
    predictor,
    scheduled_rate,
    steps_of,
)
from components.training.engine import Part
from components.wide_deep_trainer.ratings import features
from components.wide_deep_trainer.ratings.config import MAE, RMSE, RatingTrainerConfig
from components.wide_deep_trainer.ratings.factors import RatingFactors
from components.wide_deep_trainer.ratings.network import RatingNetwork
from transforms.base.errors import UserError

_MODELS = {"deep": RatingNetwork, "factors": RatingFactors}


class RatingFit(ColumnarTraining):
    """The training of a rating model, and its evaluation.

    Attributes:
        model: The model; its scores are stars, float32 [batch].
    """

    def __init__(
        self,
        config: RatingTrainerConfig,
        strategy: tf.distribute.Strategy,
        transform_output: tft.TFTransformOutput,
        train: dict[str, np.ndarray],
        evaluation: dict[str, np.ndarray],
    ):
        """Creates the variables and moves the data to the devices.

        Args:
            config: All settings.
            strategy: Where to train.
            transform_output: Its vocabularies size the tables.
            train: Transformed ratings to train on, which the model may remember.
            evaluation: Transformed ratings to evaluate on.

        Raises:
            UserError: All ratings to train on are equal.
        """
        num_users, num_items = (
            transform_output.vocabulary_size_by_name(vocabulary) + 1
            for vocabulary in (features.USER_VOCABULARY, features.ITEM_VOCABULARY)
        )
        stars = train[features.RATING]
        if np.ptp(stars) == 0:
            raise UserError(
                f"all {len(stars)} ratings to train on are {stars[0]:g}: there is nothing to tell "
                "them apart by; bring others"
            )
        keras.utils.set_random_seed(config.seed)
        with strategy.scope():
            self.model = _MODELS[config.model_type](config, train, num_users, num_items)
            self.model({name: tf.constant(column[:1]) for name, column in train.items()})
            steps = steps_of(config, len(train[features.RATING]))
            # Keras' newer Adam takes three times as long for the same updates.
            optimizer = keras.optimizers.legacy.Adam(
                scheduled_rate(config.schedule, config.learning_rate, steps)
            )
        parts = [Part(self.model.trainable_variables, optimizer)]
        super().__init__(config, strategy, train, parts, self.model.loss)
        self._predict = predictor(self.model)
        self._evaluation = evaluation

    def evaluate(self) -> dict[str, float]:
        """Returns the root mean squared and the mean absolute error, in stars."""
        stars = self._predict(self._evaluation)
        errors = (stars - self._evaluation[features.RATING]).astype(np.float64)
        return {
            RMSE: float(np.sqrt(np.mean(np.square(errors)))),
            MAE: float(np.mean(np.abs(errors))),
        }
