"""Training on rows of columns: their batches, their scores, the learning rate."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.training.config import LoopConfig
from components.training.engine import Engine, Part, Step
from components.training.strategy import input_context
from transforms.base.settings import check

Columns = dict[str, tf.Tensor]
"""Features by name, the rows along the first axis."""

_WARM_UP = 0.05
_SCORED_TOGETHER = 4096


class Rows(NamedTuple):
    """A replica's rows in a step.

    Attributes:
        columns: Features by name, the rows along the first axis.
        seed: Determines all that is random in the step, int32 [2].
    """

    columns: Columns
    seed: tf.Tensor


class ColumnarTraining(Engine[Columns, Rows]):
    """A model in training on rows, each batch of which is split evenly among the replicas."""

    def __init__(
        self,
        config: LoopConfig,
        strategy: tf.distribute.Strategy,
        columns: dict[str, np.ndarray],
        parts: Sequence[Part],
        loss: Callable[[Columns, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    ):
        """Moves the rows to the devices.

        Args:
            config: Batch size, seed, XLA.
            strategy: Where to train; the variables were created in its scope.
            columns: The rows to train on, the same on every worker.
            parts: As for Engine.
            loss: Returns what `Engine.loss` does of what `Rows` holds.

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
        context = input_context(strategy)
        mine = slice(context.input_pipeline_id, None, context.num_input_pipelines)
        columns = {name: column[mine] for name, column in columns.items()}
        rows = len(next(iter(columns.values())))
        with strategy.scope():
            for variables, optimizer in parts:
                if isinstance(optimizer, keras.optimizers.Optimizer):
                    # Keras' newer ones compile the update with XLA wherever there is a GPU.
                    optimizer.jit_compile = optimizer.jit_compile and config.xla
                    optimizer.build(variables)
        super().__init__(config, strategy, columns, rows, config.batch_size // replicas, parts)
        self._loss = loss

    def batch(self, data: Columns, rows: tf.Tensor, step: Step) -> Rows:
        """See Engine."""
        return Rows(
            columns={name: tf.gather(column, rows) for name, column in data.items()},
            seed=step.seed(self._seed),
        )

    def loss(self, batch: Rows) -> tuple[tf.Tensor, tf.Tensor]:
        """See Engine."""
        return self._loss(*batch)


def predictor(
    score: Callable[[Columns], tf.Tensor],
) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Returns a function from columns to `score` of all rows, some thousands of rows at a time."""
    compiled = tf.function(score, reduce_retracing=True)

    def predict(columns: dict[str, np.ndarray]) -> np.ndarray:
        rows = len(next(iter(columns.values())))
        starts = range(0, rows, _SCORED_TOGETHER)
        blocks = (slice(start, start + _SCORED_TOGETHER) for start in starts)
        return np.concatenate(
            [
                compiled({name: column[block] for name, column in columns.items()})
                for block in blocks
            ]
        )

    return predict


def steps_of(config: LoopConfig, rows: int) -> int:
    """Returns how many steps all epochs have, of so many rows each."""
    return config.train_epochs * math.ceil(rows / config.batch_size)


def scheduled_rate(
    schedule: str, rate: float, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Returns what an optimiser takes as its learning rate.

    Args:
        schedule: "constant", or "cosine": a linear warm-up over a twentieth of the steps, then
            half a cosine to 0.
        rate: The learning rate, at its height if the schedule is not constant.
        steps: How many there are in all epochs.
    """
    if schedule == "constant":
        return rate
    # Some step has to come after it, or none has a rate above 0.
    warm_up = min(math.ceil(_WARM_UP * steps), steps - 1)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up, warmup_target=rate, warmup_steps=warm_up
    )
