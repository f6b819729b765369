"""An NCF model in training: epochs of steps, and the evaluation between them, on the devices."""

import math
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import Candidates, Histories
from components.ncf_trainer.model import NcfModel
from components.ncf_trainer.sampling import Untouched, draw, sample_untouched, untouched_index
from components.training.loop import EpochStats
from components.training.strategy import input_context

__all__ = ["HIT_RATE", "NDCG", "NcfFit"]

HIT_RATE = "hit_rate_at_10"
NDCG = "ndcg_at_10"

_K = 10
_SCORED_TOGETHER = 1 << 16


class NcfFit:
    """Model, optimiser and data, resident on the devices of a strategy.

    A batch is split evenly among the replicas, each of which draws the negatives of its part; as
    many positives as fit with their negatives, at least one a replica. Where that leaves nothing
    over, more replicas on one worker do the same training. An epoch is one call of a compiled
    graph. What it does depends on the configuration, the epoch's number and the state of the
    checkpoint, and on nothing else.

    Attributes:
        model: The model.
        checkpoint: Model and optimiser.
    """

    def __init__(
        self,
        config: NcfTrainerConfig,
        strategy: tf.distribute.Strategy,
        histories: Histories,
        candidates: Candidates,
        *,
        user_vocabulary: int,
        item_vocabulary: int,
    ):
        """Creates the variables and moves the data to the devices.

        Args:
            config: All settings.
            strategy: Where to train.
            histories: This worker's training data.
            candidates: This worker's lists to evaluate on.
            user_vocabulary: Users known; the table has one row more.
            item_vocabulary: Items known; the table has one row more.
        """
        self._config = config
        self._strategy = strategy
        self._worker = input_context(strategy).input_pipeline_id
        self._replicas = len(strategy.extended.worker_devices)
        # On a GPU, TensorFlow computes with int32 tensors in host memory.
        narrow = np.int64 if config.num_gpus else np.int32
        arrays = _training_arrays(histories, item_vocabulary, config.recency_half_life, narrow)
        self._histories = self._place(lambda _: arrays)
        self._candidates = self._place(
            lambda replica: tuple(
                column[replica :: self._replicas].astype(dtype)
                for column, dtype in zip(candidates, (narrow, narrow, bool), strict=True)
            )
        )
        self._interactions = len(histories.items)
        everywhere = strategy.reduce(
            "SUM",
            self._place(lambda replica: np.int64(0 if replica else self._interactions)),
            axis=None,
        )
        positives = config.batch_size // (1 + config.num_neg)
        self._per_replica = max(1, positives // strategy.num_replicas_in_sync)
        self._steps = math.ceil(
            int(everywhere) / (self._per_replica * strategy.num_replicas_in_sync)
        )
        with strategy.scope():
            self.model = NcfModel(config, user_vocabulary + 1, item_vocabulary + 1)
            # Keras' newer Adam takes longer for the same updates of the tables.
            self._optimizer = keras.optimizers.legacy.Adam(_learning_rate(config, self._steps))
            self._loss = keras.metrics.Mean()
            self._hits, self._gains = keras.metrics.Mean(), keras.metrics.Mean()
        self.checkpoint = tf.train.Checkpoint(model=self.model, optimizer=self._optimizer)
        self._gradients = (
            tf.function(self._loss_and_gradients, jit_compile=True)
            if config.xla
            else self._loss_and_gradients
        )

    def train_epoch(self, epoch: int) -> EpochStats:
        """Trains on every interaction once, in an order drawn for this epoch."""
        rng = np.random.default_rng((self._config.seed, epoch, self._worker))
        # The last batch is filled up from the front of the permutation.
        order = np.resize(
            rng.permutation(self._interactions), (self._steps, self._replicas * self._per_replica)
        )
        # The order within a batch is free: neighbours in memory make every lookup cheaper.
        order.sort(axis=1)
        order = order.reshape(self._steps, self._replicas, self._per_replica)
        self._loss.reset_state()
        self._run_epoch(
            tf.constant(order, tf.int64 if self._config.num_gpus else tf.int32),
            self._histories,
            tf.constant(epoch, tf.int64),
        )
        self.model.average_unknown()
        return EpochStats(
            loss=float(self._loss.result()),
            examples=self._steps
            * self._per_replica
            * self._strategy.num_replicas_in_sync
            * (1 + self._config.num_neg),
        )

    def evaluate(self) -> dict[str, float]:
        """Returns HR@10 and NDCG@10; ties count against the held-out item.

        rank = 1 + #(negatives scored higher) + #(negatives scored equal). A score that is not
        finite makes both NaN. A user with fewer than 10 negatives does not count: among so few,
        every item is one of the first ten.
        """
        self._hits.reset_state()
        self._gains.reset_state()
        self._run_evaluation(self._candidates)
        return {
            HIT_RATE: float(self._hits.result()),
            NDCG: float(self._gains.result()),
        }

    def _place(self, values_of: Any) -> Any:
        """Returns the arrays that `values_of(local replica)` gives, each on its device."""
        devices = self._strategy.extended.worker_devices

        def place(context: tf.distribute.experimental.ValueContext) -> Any:
            replica = context.replica_id_in_sync_group % self._replicas
            with tf.device(devices[replica]):
                return tf.nest.map_structure(tf.identity, values_of(replica))

        return self._strategy.experimental_distribute_values_from_function(place)

    @tf.function
    def _run_epoch(self, order: tf.Tensor, histories: Any, epoch: tf.Tensor) -> None:
        for step in tf.range(tf.cast(self._steps, tf.int64)):
            self._strategy.run(
                self._train_step, args=(order[step], histories, epoch * self._steps + step)
            )

    def _train_step(self, order: tf.Tensor, histories: Any, step: tf.Tensor) -> None:
        owners, positives, weights, users, untouched = histories
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group
        batch = order[replica % self._replicas]
        owner = tf.gather(owners, batch)
        draws = draw(
            [context.num_replicas_in_sync, self._per_replica, self._config.num_neg],
            tf.stack([tf.constant(self._config.seed, tf.int64), step]),
        )
        negatives = sample_untouched(untouched, owner, draws[replica])
        items = tf.concat([tf.gather(positives, batch)[:, tf.newaxis], negatives], axis=1)
        loss, gradients = self._gradients(tf.gather(users, owner), items, tf.gather(weights, batch))
        self._optimizer.apply_gradients(zip(gradients, self.model.trainable_variables, strict=True))
        self._loss.update_state(loss)

    def _loss_and_gradients(
        self, users: tf.Tensor, items: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns the weighted loss, and the gradients of it with the L2 terms.

        Args:
            users: Embedding rows, [batch].
            items: Embedding rows, the positive in the first column, [batch, 1 + negatives].
            weights: Of each positive with its negatives, [batch].
        """
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            embedded = self.model.embed(users, items)
            logits = self.model.score(*embedded)
            labels = tf.one_hot(tf.zeros_like(users), items.shape[1])
            if self._config.loss == "softmax":
                losses = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
            else:
                each = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
                losses = tf.reduce_mean(each, axis=1)
            loss = tf.reduce_mean(weights * losses)
            objective = loss + self.model.penalty(*embedded)
            scaled = objective / self._strategy.num_replicas_in_sync
        gradients = tape.gradient(scaled, variables)
        # Adam moves every row at every step, so a sparse gradient would only cost more.
        return loss, [tf.convert_to_tensor(gradient) for gradient in gradients]

    @tf.function
    def _run_evaluation(self, candidates: Any) -> None:
        lists = self._strategy.experimental_local_results(candidates)[0][1].shape
        together = max(1, _SCORED_TOGETHER // lists[1])
        for start in tf.range(0, lists[0], together):
            self._strategy.run(self._evaluate_step, args=(candidates, start, start + together))

    def _evaluate_step(self, candidates: Any, start: tf.Tensor, stop: tf.Tensor) -> None:
        users, items, present = (column[start:stop] for column in candidates)
        scores = self.model(users, items)
        ahead = (scores[:, 1:] >= scores[:, :1]) & present[:, 1:]
        rank = 1.0 + tf.reduce_sum(tf.cast(ahead, tf.float32), axis=1)
        finite = tf.reduce_all(tf.math.is_finite(scores) | ~present, axis=1)
        within = rank <= _K
        gain = tf.where(within, math.log(2.0) / tf.math.log(rank + 1.0), 0.0)
        not_finite = tf.where(finite, 0.0, math.nan)
        ranked = tf.reduce_sum(tf.cast(present[:, 1:], tf.float32), axis=1) >= _K
        self._hits.update_state(tf.cast(within, tf.float32) + not_finite, ranked)
        self._gains.update_state(gain + not_finite, ranked)


def _learning_rate(config: NcfTrainerConfig, steps_per_epoch: int) -> Any:
    if config.schedule == "constant":
        return config.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        config.learning_rate, steps_per_epoch * config.train_epochs
    )


def _training_arrays(
    histories: Histories, num_items: int, half_life: float, dtype: type
) -> tuple[Any, ...]:
    """Returns owners, items, weights, users and the index of untouched items.

    All but the weights, which are float32 with mean 1, share an integer dtype at least as wide as
    `dtype`.
    """
    later = np.bincount(histories.owners).cumsum()[histories.owners] - 1
    later -= np.arange(len(histories.owners))
    weights = np.exp2(-later / half_life) if half_life else np.ones(len(later))
    index = untouched_index(histories.owners, histories.items, len(histories.users), num_items)
    common = np.promote_types(dtype, index.keys.dtype)
    return (
        histories.owners.astype(common),
        histories.items.astype(common),
        (weights / weights.mean()).astype(np.float32),
        histories.users.astype(common),
        Untouched(*(column.astype(common) for column in index)),
    )
