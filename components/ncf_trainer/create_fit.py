"""What trains the model that the settings name."""

import tensorflow as tf

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import RankingData
from components.ncf_trainer.fit import NcfFit
from components.ncf_trainer.sequence.fit import NextItemFit, SasRecFit

_OF_HISTORIES: dict[str, type[SasRecFit | NextItemFit]] = {
    "sasrec": SasRecFit,
    "next_item": NextItemFit,
}


def part_of_histories(
    config: NcfTrainerConfig, context: tf.distribute.InputContext
) -> tf.distribute.InputContext:
    """Returns which part of the histories a worker needs: all, if the model ranks by them."""
    return tf.distribute.InputContext() if config.model_type in _OF_HISTORIES else context


def create_fit(
    config: NcfTrainerConfig, strategy: tf.distribute.Strategy, data: RankingData
) -> NcfFit | SasRecFit | NextItemFit:
    """Creates a model and what trains it.

    Args:
        config: All settings.
        strategy: Where to train.
        data: With the `part_of_histories` that this worker needs.
    """
    fit: type[NcfFit | SasRecFit | NextItemFit] = _OF_HISTORIES.get(config.model_type, NcfFit)
    return fit(config, strategy, data)
