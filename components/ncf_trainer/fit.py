"""An NCF model in training, and its evaluation, on the devices."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import Histories, RankingData
from components.ncf_trainer.evaluation import RankingEvaluation
from components.ncf_trainer.model import NcfModel
from components.ncf_trainer.sampling import Untouched, draw, sample_untouched, untouched_index
from components.training.engine import Engine, Part, Step, steps_in_epoch
from components.training.loop import EpochStats
from components.training.strategy import index_type

_SCORED_TOGETHER = 1 << 16


class _Interactions(NamedTuple):
    """Training data; all but the weights share an integer dtype.

    Attributes:
        owners: Position in `users` of each interaction's user, [interactions].
        items: Embedding row of each interaction's item, [interactions].
        weights: Of each interaction in the loss, with mean 1, float32 [interactions].
        users: Embedding row of each user, [users].
        untouched: What the users have not interacted with.
    """

    owners: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    users: np.ndarray
    untouched: Untouched


class _Choices(NamedTuple):
    """Positives among their negatives.

    Attributes:
        users: Embedding rows, integer [batch].
        items: Embedding rows, the positive in the first column, integer [batch, 1 + negatives].
        weights: Of each positive with its negatives, float32 [batch].
    """

    users: tf.Tensor
    items: tf.Tensor
    weights: tf.Tensor


class NcfFit(Engine[_Interactions, _Choices]):
    """A model in training on interactions, with negatives that are drawn on the way.

    A batch is split evenly among the replicas, each of which draws the negatives of its part; as
    many positives as fit with their negatives, at least one a replica. Where that leaves nothing
    over, more replicas on one worker do the same training.

    Attributes:
        model: The model.
    """

    def __init__(
        self,
        config: NcfTrainerConfig,
        strategy: tf.distribute.Strategy,
        data: RankingData,
    ):
        """Creates the variables and moves the data to the devices.

        Args:
            config: All settings.
            strategy: Where to train.
            data: This worker's part. Tables have one row more than there are users and items.
        """
        positives = config.batch_size // (1 + config.num_neg)
        per_replica = max(1, positives // strategy.num_replicas_in_sync)
        interactions = len(data.histories.items)
        steps = steps_in_epoch(strategy, interactions, per_replica)
        with strategy.scope():
            self.model = NcfModel(config, data.num_users + 1, data.num_items + 1)
            # Keras' newer Adam takes longer for the same updates of the tables.
            optimizer = keras.optimizers.legacy.Adam(_learning_rate(config, steps))
        narrow = index_type(config.num_gpus)
        arrays = _training_arrays(data.histories, data.num_items, config.recency_half_life, narrow)
        parts = [Part(self.model.trainable_variables, optimizer)]
        super().__init__(config, strategy, arrays, interactions, per_replica, parts, ascending=True)
        self._config = config
        together = max(1, _SCORED_TOGETHER // data.candidates.items.shape[1])
        self.evaluate = RankingEvaluation(
            strategy, data.candidates, lambda *lists: self.model(*lists), together, narrow
        )

    def train_epoch(self, epoch: int) -> EpochStats:
        """See Engine; negatives are examples too."""
        stats = super().train_epoch(epoch)
        self.model.average_unknown()
        return EpochStats(stats.loss, stats.examples * (1 + self._config.num_neg))

    def batch(self, data: _Interactions, rows: tf.Tensor, step: Step) -> _Choices:
        """See Engine."""
        owners = tf.gather(data.owners, rows)
        draws = draw(
            [step.replicas, rows.shape[0], self._config.num_neg],
            tf.stack([tf.constant(self._config.seed, tf.int64), step.number]),
        )
        negatives = sample_untouched(data.untouched, owners, draws[step.replica])
        positives = tf.gather(data.items, rows)[:, tf.newaxis]
        return _Choices(
            users=tf.gather(data.users, owners),
            items=tf.concat([positives, negatives], axis=1),
            weights=tf.gather(data.weights, rows),
        )

    def loss(self, batch: _Choices) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the weighted loss, without and with the L2 terms."""
        embedded = self.model.embed(batch.users, batch.items)
        logits = self.model.score(*embedded)
        labels = tf.one_hot(tf.zeros_like(batch.users), batch.items.shape[1])
        if self._config.loss == "softmax":
            losses = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
        else:
            each = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
            losses = tf.reduce_mean(each, axis=1)
        loss = tf.reduce_mean(batch.weights * losses)
        return loss, loss + self.model.penalty(*embedded)


def _learning_rate(
    config: NcfTrainerConfig, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    if config.schedule == "constant":
        return config.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        config.learning_rate, steps_per_epoch * config.train_epochs
    )


def _training_arrays(
    histories: Histories, num_items: int, half_life: float, dtype: type
) -> _Interactions:
    """Returns arrays whose integers are at least as wide as `dtype`."""
    later = np.bincount(histories.owners).cumsum()[histories.owners] - 1
    later -= np.arange(len(histories.owners))
    weights = np.exp2(-later / half_life) if half_life else np.ones(len(later))
    index = untouched_index(histories.owners, histories.items, len(histories.users), num_items)
    common = np.promote_types(dtype, index.keys.dtype)
    return _Interactions(
        histories.owners.astype(common),
        histories.items.astype(common),
        (weights / weights.mean()).astype(np.float32),
        histories.users.astype(common),
        Untouched(*(column.astype(common) for column in index)),
    )
