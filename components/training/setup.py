"""What a run_fn and a tuner_fn begin with."""

from typing import Generic, NamedTuple, TypeVar

import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx

from components.training.config import LoopConfig
from components.training.strategy import create_strategy
from transforms.base.settings import from_json

__all__ = ["Setup", "set_up"]

Config = TypeVar("Config", bound=LoopConfig)


class Setup(NamedTuple, Generic[Config]):
    """All that a training needs but its data.

    Attributes:
        config: All settings.
        strategy: Where to train.
        transform_output: What the data were transformed with.
    """

    config: Config
    strategy: tf.distribute.Strategy
    transform_output: tft.TFTransformOutput


def set_up(fn_args: tfx.components.FnArgs, settings: type[Config]) -> Setup[Config]:
    """Returns what TFX's arguments say.

    Args:
        fn_args: `custom_config` holds "config", the settings as JSON.
        settings: The class of the settings.

    Raises:
        UserError: This machine has fewer GPUs than the settings ask for.
    """
    config = from_json(settings, fn_args.custom_config["config"])
    strategy = create_strategy(config.num_gpus)
    return Setup(config, strategy, tft.TFTransformOutput(fn_args.transform_graph_path))
