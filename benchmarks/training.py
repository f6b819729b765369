"""Workloads: an epoch's negatives, and an epoch of training with them drawn on the way."""

import numpy as np
import tensorflow as tf

from benchmarks.histories import load_histories
from benchmarks.timing import Timing, timed
from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import Candidates, RankingData
from components.ncf_trainer.fit import NcfFit
from components.ncf_trainer.sampling import Untouched, draw, sample_untouched, untouched_index
from components.training.strategy import create_strategy


def negatives(histories: str, num_neg: int, batch_size: int, repeats: int) -> Timing:
    """Times the drawing of an epoch's negatives, a batch at a time as in training.

    Args:
        histories: What `save_histories` wrote.
        num_neg: Negatives for each interaction.
        batch_size: Interactions in a batch, with their negatives counted.
        repeats: How often.
    """
    data, num_items = load_histories(histories)
    index = untouched_index(data.owners, data.items, len(data.users), num_items)
    together = batch_size // (1 + num_neg)
    steps = -(-len(data.owners) // together)
    owners = tf.constant(np.resize(data.owners, (steps, together)).astype(index.keys.dtype))
    on_device = Untouched(*(tf.constant(column) for column in index))

    @tf.function
    def draw_epoch(epoch: tf.Tensor) -> tf.Tensor:
        total = tf.constant(0, owners.dtype)
        for step in tf.range(steps):
            draws = draw([together, num_neg], tf.stack([epoch, step]))
            # The sum keeps TensorFlow from leaving out what nothing reads.
            total += tf.reduce_max(sample_untouched(on_device, owners[step], draws))
        return total

    draw_epoch(tf.constant(0))
    return Timing(
        timed(lambda: draw_epoch(tf.constant(1)).numpy(), repeats), steps * together * num_neg
    )


def train(
    histories: str,
    num_factors: int,
    layers: list[int],
    num_neg: int,
    batch_size: int,
    share: float,
    repeats: int,
) -> Timing:
    """Times epochs of training after a first one, which traces and compiles.

    Args:
        histories: What `save_histories` wrote.
        num_factors: See NcfTrainerConfig, as for what follows.
        layers: The MLP's widths.
        num_neg: Negatives for each interaction.
        batch_size: Training examples in a step.
        share: Train on about this part of the interactions; the tables keep all users and items.
        repeats: How many epochs.
    """
    data, num_items = load_histories(histories, share)
    config = NcfTrainerConfig(
        num_factors=num_factors, layers=tuple(layers), num_neg=num_neg, batch_size=batch_size
    )
    nothing = Candidates(np.zeros(1, int), np.zeros((1, 2), int), np.ones((1, 2), bool))
    fit = NcfFit(config, create_strategy(0), RankingData(data, nothing, len(data.users), num_items))
    fit.train_epoch(0)
    seconds = timed(lambda: fit.train_epoch(1), repeats)
    return Timing(seconds, len(data.owners) * (1 + num_neg), share)
