"""What a run_fn and a tuner_fn begin with, and what a run_fn ends with."""

import os
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import tensorflow as tf
import tensorflow_transform as tft
from absl import logging
from tfx import v1 as tfx

from components.training.checkpoints import Checkpoints, remove_forgotten
from components.training.config import LoopConfig
from components.training.loop import Fit, Goal, checkpoint_dir, run_loop
from components.training.strategy import create_strategy, is_chief
from transforms.base.settings import from_json

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


def train_and_export(
    fn_args: tfx.components.FnArgs,
    setup: Setup[Any],
    fit: Fit,
    goal: Goal,
    export: Callable[[str], None],
) -> None:
    """Trains, or goes on where a killed attempt stopped, and exports the model.

    Args:
        fn_args: TFX's, as `checkpoint_dir` reads them; logs go to `model_run_dir`.
        setup: Settings, and where to train. Only the chief exports.
        fit: What to train.
        goal: What the setting `stop_threshold` is a value of.
        export: Writes the trained model to the folder it is given.

    Raises:
        UserError: The loss or a metric is not finite.
    """
    strategy = setup.strategy
    logging.info("training on %s", ", ".join(strategy.extended.worker_devices))
    folder = checkpoint_dir(fn_args)
    checkpoints = Checkpoints(folder)
    run_loop(
        setup.config,
        strategy=strategy,
        fit=fit,
        goal=goal,
        checkpoints=checkpoints,
        log_dir=fn_args.model_run_dir,
    )
    if is_chief(strategy):
        export(fn_args.serving_model_dir)
        checkpoints.remove()
        remove_forgotten(os.path.dirname(folder))
