"""Training on columns that stay on the devices: epochs of steps, scoring, the learning rate."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.training.config import LoopConfig
from components.training.loop import EpochStats
from transforms.base.settings import check

__all__ = ["ColumnarTraining", "Columns", "predictor", "scheduled_rate"]

Columns = dict[str, tf.Tensor]
"""Features by name, the rows along the first axis."""

_WARM_UP = 0.05
_SCORED_TOGETHER = 4096


class ColumnarTraining:
    """A model's variables in training on rows that are copied to each device of a strategy.

    A batch is split evenly among the replicas. An epoch is one call of a compiled graph. What it
    does depends on the configuration, the epoch's number and the state of the checkpoint, and on
    nothing else.

    Attributes:
        checkpoint: The variables that are trained, and their optimisers.
    """

    def __init__(
        self,
        config: LoopConfig,
        strategy: tf.distribute.Strategy,
        columns: dict[str, np.ndarray],
        parts: Sequence[tuple[list[tf.Variable], keras.optimizers.Optimizer]],
        loss: Callable[[Columns, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    ):
        """Moves the rows to the devices.

        Args:
            config: Batch size, seed, XLA.
            strategy: Where to train; the variables were created in its scope.
            columns: The rows to train on.
            parts: Disjoint lists of variables, each with the optimiser that trains it.
            loss: Takes a batch's rows and an int32[2] seed of all that is random in the step, and
                returns two scalars, means over the rows: the loss to report and the objective to
                minimise.

        Raises:
            UserError: The batch cannot be split evenly among the replicas.
        """
        replicas = strategy.num_replicas_in_sync
        check(
            config.batch_size % replicas == 0,
            "batch_size",
            config.batch_size,
            f"a multiple of the number of replicas, {replicas}",
        )
        self._config = config
        self._strategy = strategy
        self._parts = parts
        self._loss = loss
        self._rows = len(next(iter(columns.values())))
        self._steps = math.ceil(self._rows / config.batch_size)
        self._columns = self._place(columns)
        with strategy.scope():
            for variables, optimizer in parts:
                # Keras compiles the update with XLA wherever there is a GPU.
                optimizer.jit_compile = optimizer.jit_compile and config.xla
                optimizer.build(variables)
            self._mean_loss = keras.metrics.Mean()
        self.checkpoint = tf.train.Checkpoint(
            parts=[list(variables) for variables, _ in parts],
            optimizers=[optimizer for _, optimizer in parts],
        )
        self._gradients = tf.function(self._loss_and_gradients, jit_compile=config.xla)

    def train_epoch(self, epoch: int) -> EpochStats:
        """Trains on every row once, in an order drawn for this epoch."""
        order = np.random.default_rng((self._config.seed, epoch)).permutation(self._rows)
        # The last batch is filled up from the front of the permutation.
        order = np.resize(order, (self._steps, self._config.batch_size))
        self._mean_loss.reset_state()
        self._run_epoch(tf.constant(order), self._columns, tf.constant(epoch * self._steps))
        return EpochStats(loss=float(self._mean_loss.result()), examples=order.size)

    def _place(self, columns: dict[str, np.ndarray]) -> Any:
        """Returns the columns as tensors, a copy on the device of each replica."""
        devices = self._strategy.extended.worker_devices

        def place(context: tf.distribute.experimental.ValueContext) -> Columns:
            with tf.device(devices[context.replica_id_in_sync_group % len(devices)]):
                return {name: tf.identity(column) for name, column in columns.items()}

        return self._strategy.experimental_distribute_values_from_function(place)

    @tf.function
    def _run_epoch(self, order: tf.Tensor, columns: Any, first_step: tf.Tensor) -> None:
        for step in tf.range(self._steps):
            self._strategy.run(self._train_step, args=(order[step], columns, first_step + step))

    def _train_step(self, batch: tf.Tensor, columns: Columns, step: tf.Tensor) -> None:
        context = tf.distribute.get_replica_context()
        replicas, replica = context.num_replicas_in_sync, context.replica_id_in_sync_group
        rows = tf.reshape(batch, [replicas, -1])[replica]
        features = {name: tf.gather(column, rows) for name, column in columns.items()}
        seed = tf.stack([self._config.seed, step * replicas + replica])
        loss, gradients = self._gradients(features, seed)
        for (variables, optimizer), part in zip(self._parts, gradients, strict=True):
            optimizer.apply_gradients(zip(part, variables, strict=True))
        self._mean_loss.update_state(loss)

    def _loss_and_gradients(
        self, features: Columns, seed: tf.Tensor
    ) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
        """Returns this replica's loss, and its share of the gradients."""
        with tf.GradientTape() as tape:
            loss, objective = self._loss(features, seed)
            scaled = objective / self._strategy.num_replicas_in_sync
        gradients = tape.gradient(scaled, [variables for variables, _ in self._parts])
        # Adam moves every row at every step, so a sparse gradient would only cost more.
        return loss, tf.nest.map_structure(tf.convert_to_tensor, gradients, expand_composites=False)


def predictor(
    score: Callable[[Columns], tf.Tensor],
) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Returns a function from columns to `score` of all rows, some thousands of rows at a time."""
    compiled = tf.function(score, reduce_retracing=True)

    def predict(columns: dict[str, np.ndarray]) -> np.ndarray:
        rows = len(next(iter(columns.values())))
        parts = [
            compiled(
                {
                    name: tf.constant(column[start : start + _SCORED_TOGETHER])
                    for name, column in columns.items()
                }
            ).numpy()
            for start in range(0, rows, _SCORED_TOGETHER)
        ]
        return np.concatenate(parts)

    return predict


def scheduled_rate(
    schedule: str, rate: float, config: LoopConfig, rows: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Returns what an optimiser takes as its learning rate.

    Args:
        schedule: "constant", or "cosine": a linear warm-up over a twentieth of the steps, then
            half a cosine to 0.
        rate: The learning rate, at its height if the schedule is not constant.
        config: Epochs and batch size.
        rows: Rows in an epoch.
    """
    if schedule == "constant":
        return rate
    steps = config.train_epochs * math.ceil(rows / config.batch_size)
    # Some step has to come after it, or none has a rate above 0.
    warm_up = min(math.ceil(_WARM_UP * steps), steps - 1)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up, warmup_target=rate, warmup_steps=warm_up
    )
