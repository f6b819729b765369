"""A census model in training: epochs of steps, and the evaluation between them, on the devices."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from components.training.loop import EpochStats
from components.wide_deep_trainer.census_config import CensusTrainerConfig
from components.wide_deep_trainer.census_features import LABEL
from components.wide_deep_trainer.wide_deep import WideDeepClassifier
from transforms.checks import check

__all__ = ["ACCURACY", "AUC", "CensusFit"]

ACCURACY = "accuracy"
AUC = "auc"

_WARM_UP = 0.05
_SCORED_TOGETHER = 4096


class CensusFit:
    """Model, optimisers and data, resident on the devices of a strategy.

    A batch is split evenly among the replicas. An epoch is one call of a compiled graph. What it
    does depends on the configuration, the epoch's number and the state of the checkpoint, and on
    nothing else.

    Attributes:
        model: The model.
        checkpoint: Model and optimisers.
    """

    def __init__(
        self,
        config: CensusTrainerConfig,
        strategy: tf.distribute.Strategy,
        train: dict[str, np.ndarray],
        evaluation: dict[str, np.ndarray],
        sizes: dict[str, int],
    ):
        """Creates the variables and moves the data to the devices.

        Args:
            config: All settings.
            strategy: Where to train.
            train: The transformed train split, arrays [rows] by name.
            evaluation: The transformed eval split.
            sizes: The number of ids of each categorical feature.

        Raises:
            UserError: The batch cannot be split evenly among the replicas.
        """
        self._config = config
        self._strategy = strategy
        replicas = strategy.num_replicas_in_sync
        check(
            config.batch_size % replicas == 0,
            "batch_size",
            config.batch_size,
            f"a multiple of the number of replicas, {replicas}",
        )
        self._rows = len(train[LABEL])
        self._steps = math.ceil(self._rows / config.batch_size)
        self._train = self._place(train)
        self._evaluation = evaluation
        tf.keras.utils.set_random_seed(config.seed)
        with strategy.scope():
            self.model = WideDeepClassifier(config, sizes)
            self.model({name: column[:1] for name, column in train.items()})
            self._parts = self._optimizers()
            self._loss = tf.keras.metrics.Mean()
        self.checkpoint = tf.train.Checkpoint(
            model=self.model, optimizers=[optimizer for _, optimizer in self._parts]
        )
        self._gradients = tf.function(self._loss_and_gradients, jit_compile=config.xla)

    def train_epoch(self, epoch: int) -> EpochStats:
        """Trains on every row once, in an order drawn for this epoch."""
        order = np.random.default_rng((self._config.seed, epoch)).permutation(self._rows)
        # The last batch is filled up from the front of the permutation.
        order = np.resize(order, (self._steps, self._config.batch_size))
        self._loss.reset_state()
        self._run_epoch(tf.constant(order), self._train, tf.constant(epoch * self._steps))
        return EpochStats(loss=float(self._loss.result()), examples=order.size)

    def evaluate(self) -> dict[str, float]:
        """Returns accuracy, at a probability of 0.5, and the area under the ROC curve."""
        rows = len(self._evaluation[LABEL])
        scores = np.concatenate(
            [
                self._score(
                    {
                        name: column[start : start + _SCORED_TOGETHER]
                        for name, column in self._evaluation.items()
                    }
                )
                for start in range(0, rows, _SCORED_TOGETHER)
            ]
        )
        positive = self._evaluation[LABEL] == 1
        return {
            ACCURACY: float(np.mean((scores > 0.5) == positive)),
            AUC: _area_under_curve(scores[positive], scores[~positive]),
        }

    def _optimizers(self) -> list[tuple[list[tf.Variable], tf.keras.optimizers.Optimizer]]:
        """Returns the variables of each part of the model with their optimiser."""
        config = self._config
        parts = []
        if self.model.wide:
            parts.append((self.model.wide, tf.keras.optimizers.Ftrl(config.wide_learning_rate)))
        if self.model.deep:
            rate = config.deep_learning_rate
            if config.schedule == "cosine":
                steps = config.train_epochs * self._steps
                warm_up = math.ceil(_WARM_UP * steps)
                rate = tf.keras.optimizers.schedules.CosineDecay(
                    0.0, steps - warm_up, warmup_target=rate, warmup_steps=warm_up
                )
            if config.deep_optimizer == "adamw":
                optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
            else:
                optimizer = tf.keras.optimizers.Adagrad(rate)
            parts.append((self.model.deep, optimizer))
        for part, optimizer in parts:
            optimizer.build(part.trainable_variables)
        return [(part.trainable_variables, optimizer) for part, optimizer in parts]

    def _place(self, columns: dict[str, np.ndarray]) -> Any:
        """Returns the columns as tensors, a copy on the device of each replica."""
        devices = self._strategy.extended.worker_devices

        def place(context: tf.distribute.experimental.ValueContext) -> dict[str, tf.Tensor]:
            with tf.device(devices[context.replica_id_in_sync_group % len(devices)]):
                return {name: tf.identity(column) for name, column in columns.items()}

        return self._strategy.experimental_distribute_values_from_function(place)

    @tf.function
    def _run_epoch(self, order: tf.Tensor, columns: Any, first_step: tf.Tensor) -> None:
        for step in tf.range(self._steps):
            self._strategy.run(self._train_step, args=(order[step], columns, first_step + step))

    def _train_step(
        self, batch: tf.Tensor, columns: dict[str, tf.Tensor], step: tf.Tensor
    ) -> None:
        context = tf.distribute.get_replica_context()
        replicas, replica = context.num_replicas_in_sync, context.replica_id_in_sync_group
        rows = tf.reshape(batch, [replicas, -1])[replica]
        features = {name: tf.gather(column, rows) for name, column in columns.items()}
        seed = tf.stack([self._config.seed, step * replicas + replica])
        loss, gradients = self._gradients(features, seed)
        for (variables, optimizer), part in zip(self._parts, gradients, strict=True):
            optimizer.apply_gradients(zip(part, variables, strict=True))
        self._loss.update_state(loss)

    def _loss_and_gradients(
        self, features: dict[str, tf.Tensor], seed: tf.Tensor
    ) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
        """Returns this replica's mean loss over rows and members, and its share of the gradients."""
        with tf.GradientTape() as tape:
            logits = self.model(features, dropout_seed=seed)
            labels = tf.cast(features[LABEL], tf.float32)[:, tf.newaxis]
            # Each member has its own loss: that of their mean would let them lean on each other.
            losses = tf.nn.sigmoid_cross_entropy_with_logits(labels + 0.0 * logits, logits)
            loss = tf.reduce_mean(losses)
            share = loss / self._strategy.num_replicas_in_sync
        gradients = tape.gradient(share, [variables for variables, _ in self._parts])
        # The tables are small, and Adam moves every row at every step.
        return loss, [[tf.convert_to_tensor(gradient) for gradient in part] for part in gradients]

    @tf.function(reduce_retracing=True)
    def _score(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        return self.model.probability(features)


def _area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """Returns the chance that a positive scores above a negative, ties counted half.

    That is the area under the ROC curve (Mann and Whitney, 1947).
    """
    if not len(positive) or not len(negative):
        return math.nan
    ranked = np.sort(negative)
    below = np.searchsorted(ranked, positive, "left") + np.searchsorted(ranked, positive, "right")
    return float(below.mean() / 2 / len(negative))
