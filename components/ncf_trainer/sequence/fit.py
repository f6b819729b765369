"""Models of histories in training, and their evaluation, on the devices."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import RankingData
from components.ncf_trainer.evaluation import RankingEvaluation
from components.ncf_trainer.sequence.model import SequenceModel
from components.ncf_trainer.sequence.next_item import NextItem
from components.ncf_trainer.sequence.rows import SequenceRows, pack_histories
from components.ncf_trainer.sequence.sasrec import SasRec
from components.ncf_trainer.sequence.windows import HistoryTable
from components.training.columnar_training import scheduled_rate
from components.training.engine import Engine, Part, Step, steps_in_epoch
from components.training.loop import EpochStats
from components.training.strategy import index_type, input_context

_SCORED_TOGETHER = 256


class _Rows(NamedTuple):
    """A replica's rows in a step.

    Attributes:
        rows: As in SequenceRows, of some of them.
        seed: Determines all that is random in the step, int32 [2].
    """

    rows: SequenceRows
    seed: tf.Tensor


class SasRecFit(Engine[SequenceRows, _Rows]):
    """The training of SASRec on packed rows, and its evaluation.

    The loss is the cross-entropy over all items, or over `sampled_items` of them, drawn for each
    step and counted as if they were all. What that is worth: Klenitskiy and Vasilev, RecSys 2023.

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
            data: With the histories of all users, on every worker.
        """
        self._config = config
        histories, num_items = data.histories, data.num_items
        rows = pack_histories(histories, config.max_length, num_items)
        context = input_context(strategy)
        mine = slice(context.input_pipeline_id, None, context.num_input_pipelines)
        rows = SequenceRows(*(column[mine].astype(index_type(config.num_gpus)) for column in rows))
        replicas = strategy.num_replicas_in_sync
        together = max(1, config.batch_size // config.max_length // replicas)
        steps = config.train_epochs * steps_in_epoch(strategy, len(rows.inputs), together)
        keras.utils.set_random_seed(config.seed)
        with strategy.scope():
            self._sasrec = SasRec(config, num_items)
            # Creates the variables.
            self._sasrec(tf.zeros([1, 2], tf.int32), tf.zeros([1, 2], tf.int32))
            next_item = None
            if config.next_item_share:
                next_item = NextItem(num_items, config.history_half_life)
                next_item.solve(histories, config.ridge)
            table = HistoryTable(histories, data.num_users, num_items, config.max_length)
            self.model = SequenceModel(table, self._sasrec, next_item, config.next_item_share)
            rate = scheduled_rate(config.schedule, config.learning_rate, steps)
            optimizer = keras.optimizers.legacy.Adam(rate, beta_2=0.98)
        parts = [Part(self._sasrec.trainable_variables, optimizer)]
        super().__init__(config, strategy, rows, len(rows.inputs), together, parts)
        self.evaluate = RankingEvaluation(
            strategy, data.candidates, self.model, _SCORED_TOGETHER, np.int64
        )

    def train_epoch(self, epoch: int) -> EpochStats:
        """See Engine; an example is a next item."""
        stats = super().train_epoch(epoch)
        return EpochStats(stats.loss, stats.examples * self._config.max_length)

    def batch(self, data: SequenceRows, rows: tf.Tensor, step: Step) -> _Rows:
        """See Engine."""
        return _Rows(
            rows=SequenceRows(*(tf.gather(column, rows) for column in data)),
            seed=step.seed(self._config.seed),
        )

    def loss(self, batch: _Rows) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the cross-entropy, twice."""
        rows, seed = batch
        expected = self._sasrec(rows.inputs, rows.places, seed)
        expected = tf.reshape(expected, [-1, expected.shape[-1]])
        targets = tf.reshape(rows.targets, [-1])
        losses = self._sasrec.losses_of(expected, targets, self._config.sampled_items, seed)
        filled = tf.reshape(tf.cast(rows.places >= 0, tf.float32), [-1])
        loss = tf.reduce_sum(losses * filled) / tf.reduce_sum(filled)
        return loss, loss


class NextItemFit:
    """The closed form as a training of one epoch.

    Attributes:
        model: The model.
        checkpoint: What is kept once it is solved.
    """

    def __init__(
        self,
        config: NcfTrainerConfig,
        strategy: tf.distribute.Strategy,
        data: RankingData,
    ):
        """Creates the variables; the arguments are those of SasRecFit."""
        self._histories, self._ridge = data.histories, config.ridge
        with strategy.scope():
            table = HistoryTable(data.histories, data.num_users, data.num_items, config.max_length)
            self._next_item = NextItem(data.num_items, config.history_half_life)
            self.model = SequenceModel(table, None, self._next_item, share=1.0)
        self.checkpoint = tf.train.Checkpoint(weights=self._next_item.weights_table)
        self.evaluate = RankingEvaluation(
            strategy, data.candidates, self.model, _SCORED_TOGETHER, np.int64
        )

    def train_epoch(self, epoch: int) -> EpochStats:
        """Solves it; the loss is that of the solution."""
        del epoch
        loss = self._next_item.solve(self._histories, self._ridge)
        return EpochStats(loss, len(self._histories.items))
