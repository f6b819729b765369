"""A census model in training, and the metrics that it is judged by."""

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
from components.wide_deep_trainer.census import features
from components.wide_deep_trainer.census.config import ACCURACY, AUC, CensusTrainerConfig
from components.wide_deep_trainer.census.model import WideDeepClassifier
from transforms.base.errors import UserError


class CensusFit(ColumnarTraining):
    """The training of a census model, and its evaluation.

    Attributes:
        model: The model.
    """

    def __init__(
        self,
        config: CensusTrainerConfig,
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
            train: Transformed rows to train on.
            evaluation: Transformed rows to evaluate on.

        Raises:
            UserError: Rows of one label to train or to evaluate on.
        """
        _check_labels("train", train)
        _check_labels("evaluate", evaluation)
        keras.utils.set_random_seed(config.seed)
        with strategy.scope():
            self.model = WideDeepClassifier(config, _sizes(config, transform_output))
            self.model({name: tf.constant(column[:1]) for name, column in train.items()})
            parts = _parts(self.model, config, rows=len(train[features.LABEL]))
        super().__init__(config, strategy, train, parts, self.model.loss)
        self._predict = predictor(self.model.probability)
        self._evaluation = evaluation

    def evaluate(self) -> dict[str, float]:
        """Returns accuracy and AUC."""
        positive = self._evaluation[features.LABEL] == 1
        return classification_metrics(self._predict(self._evaluation), positive)


def _sizes(config: CensusTrainerConfig, transform_output: tft.TFTransformOutput) -> dict[str, int]:
    """Returns how many ids each categorical feature has."""
    vocabularies = (*features.VOCABULARY, *map(features.value, features.REPEATED))
    return {
        **{name: transform_output.vocabulary_size_by_name(name) + 1 for name in vocabularies},
        **dict.fromkeys(features.HASHED, config.hash_buckets),
        "age_bucket": len(features.AGE_BOUNDARIES) + 1,
    }


def _parts(model: WideDeepClassifier, config: CensusTrainerConfig, rows: int) -> list[Part]:
    """Returns the variables of each part of the model, with their optimiser."""
    parts = []
    if model.wide:
        ftrl = keras.optimizers.Ftrl(config.wide_learning_rate)
        parts.append(Part(model.wide.trainable_variables, ftrl))
    if model.deep:
        rate = scheduled_rate(config.schedule, config.deep_learning_rate, steps_of(config, rows))
        if config.deep_optimizer == "adamw":
            optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
        else:
            optimizer = keras.optimizers.Adagrad(rate)
        parts.append(Part(model.deep.trainable_variables, optimizer))
    return parts


def classification_metrics(scores: np.ndarray, positive: np.ndarray) -> dict[str, float]:
    """Returns accuracy, at a probability of 0.5, and the area under the ROC curve.

    That area is the chance that a positive scores above a negative, ties counted half (Mann and
    Whitney, 1947).
    """
    negatives = np.sort(scores[~positive])
    sides = [np.searchsorted(negatives, scores[positive], side) for side in ("left", "right")]
    return {
        ACCURACY: float(np.mean((scores > 0.5) == positive)),
        AUC: float(np.mean(sides) / len(negatives)),
    }


def _check_labels(use: str, rows: dict[str, np.ndarray]) -> None:
    labels, counts = np.unique(rows[features.LABEL], return_counts=True)
    if len(labels) < 2:
        raise UserError(
            f"all {counts[0]} rows to {use} on have the label {('<=50K', '>50K')[labels[0]]}: a "
            "classifier and its AUC need both; bring rows of the other"
        )
