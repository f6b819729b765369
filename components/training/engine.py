"""The training of any model: epochs of steps on data that stay on the devices."""

import abc
import math
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.training.config import LoopConfig
from components.training.loop import EpochStats
from components.training.strategy import input_context, place

Data = TypeVar("Data")
Batch = TypeVar("Batch")


class Part(NamedTuple):
    """Variables, and the optimiser that trains them."""

    variables: list[tf.Variable]
    optimizer: keras.optimizers.Optimizer


class Step(NamedTuple):
    """A replica's part in a step: all that its random numbers depend on, beside the seed.

    Attributes:
        number: The steps before it, those of other epochs too, int64 scalar.
        replica: Which of all replicas this is, integer scalar.
        replicas: How many replicas there are.
    """

    number: tf.Tensor
    replica: tf.Tensor
    replicas: int

    def seed(self, seed: int) -> tf.Tensor:
        """Returns what decides all that is random in it, int32 [2], different for each replica."""
        place = self.number * self.replicas + tf.cast(self.replica, tf.int64)
        return tf.cast(tf.stack([tf.constant(seed, tf.int64), place]), tf.int32)


class Engine(abc.ABC, Generic[Data, Batch]):
    """A model in training on data that are copied to each device of a strategy.

    An epoch is one call of a compiled graph. What it does depends on the configuration, the
    epoch's number and the state of the checkpoint, and on nothing else.

    Attributes:
        checkpoint: The variables that are trained, and their optimisers.
    """

    def __init__(
        self,
        config: LoopConfig,
        strategy: tf.distribute.Strategy,
        data: Data,
        rows: int,
        per_replica: int,
        parts: Sequence[Part],
        *,
        ascending: bool = False,
    ):
        """Moves the data to the devices.

        Args:
            config: Seed, XLA, and where the devices are.
            strategy: Where to train; the variables were created in its scope.
            data: This worker's arrays, in a dict or a NamedTuple.
            rows: How many rows `data` hold.
            per_replica: Rows that a replica takes in a step.
            parts: All that is trained, no variable twice.
            ascending: Whether to sort the rows of a step: their order is free where nothing is
                drawn by place, and neighbours in memory make every lookup cheaper.
        """
        self._strategy = strategy
        self._seed, self._ascending = config.seed, ascending
        self._rows, self._worker = rows, input_context(strategy).input_pipeline_id
        # On a GPU, TensorFlow computes with int32 tensors in host memory.
        self._index = tf.int64 if config.num_gpus else tf.int32
        steps = steps_in_epoch(strategy, rows, per_replica)
        self._shape = (steps, len(strategy.extended.worker_devices), per_replica)
        self._data = place(strategy, lambda _: data)
        self._parts = parts
        with strategy.scope():
            self._mean_loss = keras.metrics.Mean()
        self.checkpoint = tf.train.Checkpoint(
            parts=[list(part.variables) for part in parts],
            optimizers=[part.optimizer for part in parts],
        )
        gradients = self._loss_and_gradients
        self._gradients = tf.function(gradients, jit_compile=True) if config.xla else gradients

    @abc.abstractmethod
    def batch(self, data: Data, rows: tf.Tensor, step: Step) -> Batch:
        """Returns what `loss` needs of some rows, integer [rows], and draws what is random."""

    @abc.abstractmethod
    def loss(self, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss to report and the objective to minimise, means over the rows.

        XLA may compile it.
        """

    def train_epoch(self, epoch: int) -> EpochStats:
        """Trains on every row once, in an order drawn for this epoch."""
        steps, replicas, per_replica = self._shape
        rng = np.random.default_rng((self._seed, epoch, self._worker))
        # The last batch is filled up from the front of the permutation.
        order = np.resize(rng.permutation(self._rows), (steps, replicas * per_replica))
        if self._ascending:
            order.sort(axis=1)
        self._mean_loss.reset_state()
        self._run_epoch(
            tf.constant(order.reshape(self._shape), self._index),
            self._data,
            tf.constant(epoch * steps, tf.int64),
        )
        examples = steps * per_replica * self._strategy.num_replicas_in_sync
        return EpochStats(loss=float(self._mean_loss.result()), examples=examples)

    @tf.function
    def _run_epoch(self, order: tf.Tensor, data: Data, first_step: tf.Tensor) -> None:
        for step in tf.range(tf.shape(order, tf.int64)[0]):
            self._strategy.run(self._train_step, args=(order[step], data, first_step + step))

    def _train_step(self, order: tf.Tensor, data: Data, number: tf.Tensor) -> None:
        """Takes a step with this replica's of the rows [local replicas, per replica]."""
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group
        rows = order[replica % order.shape[0]]
        step = Step(number, replica, context.num_replicas_in_sync)
        loss, gradients = self._gradients(self.batch(data, rows, step))
        for (variables, optimizer), part in zip(self._parts, gradients, strict=True):
            optimizer.apply_gradients(zip(part, variables, strict=True))
        self._mean_loss.update_state(loss)

    def _loss_and_gradients(self, batch: Batch) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
        """Returns this replica's loss, and its share of the gradients."""
        with tf.GradientTape() as tape:
            loss, objective = self.loss(batch)
            scaled = objective / self._strategy.num_replicas_in_sync
        gradients = tape.gradient(scaled, [part.variables for part in self._parts])
        # Adam moves every row at every step, so a sparse gradient would only cost more.
        return loss, tf.nest.map_structure(tf.convert_to_tensor, gradients, expand_composites=False)


def steps_in_epoch(strategy: tf.distribute.Strategy, rows: int, per_replica: int) -> int:
    """Returns how many steps it takes all workers together, of which this one has `rows` rows."""
    by_replica = place(strategy, lambda replica: np.int64(0 if replica else rows))
    everywhere = int(strategy.reduce("SUM", by_replica, axis=None))
    return math.ceil(everywhere / (per_replica * strategy.num_replicas_in_sync))
