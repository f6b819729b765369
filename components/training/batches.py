"""Which rows each step of an epoch takes."""

import math

import numpy as np
import tensorflow as tf

from components.training.strategy import input_context, place

__all__ = ["Batches"]


class Batches:
    """This worker's rows in batches, every row once an epoch, in an order drawn for each.

    Attributes:
        steps: Steps in an epoch, the same on every worker.
        rows: Rows in an epoch on all workers together, those counted twice that fill the last step.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        seed: int,
        rows: int,
        per_replica: int,
        *,
        ascending: bool = False,
    ):
        """Agrees with the other workers on the number of steps.

        Args:
            strategy: Among whose replicas to divide a batch.
            seed: Determines the order, with the epoch and the worker.
            rows: Rows that this worker has.
            per_replica: Rows that a replica takes in a step.
            ascending: Whether to sort each batch: its order is free where nothing is drawn by
                place, and neighbours in memory make every lookup cheaper.
        """
        self._seed = seed
        self._worker = input_context(strategy).input_pipeline_id
        self._rows = rows
        self._shape = (len(strategy.extended.worker_devices), per_replica)
        self._ascending = ascending
        everywhere = strategy.reduce(
            "SUM", place(strategy, lambda replica: np.int64(0 if replica else rows)), axis=None
        )
        together = per_replica * strategy.num_replicas_in_sync
        self.steps = math.ceil(int(everywhere) / together)
        self.rows = self.steps * together

    def order(self, epoch: int) -> np.ndarray:
        """Returns the rows that each local replica takes, int64 [steps, replicas, per replica]."""
        rng = np.random.default_rng((self._seed, epoch, self._worker))
        # The last batch is filled up from the front of the permutation.
        order = np.resize(rng.permutation(self._rows), (self.steps, math.prod(self._shape)))
        if self._ascending:
            order.sort(axis=1)
        return order.reshape(self.steps, *self._shape)
