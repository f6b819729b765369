"""What every run_fn ends with: the epoch loop, the export, and no checkpoint left behind."""

import os
from collections.abc import Callable
from typing import Any

from absl import logging
from tfx import v1 as tfx

from components.training.checkpoints import Checkpoints, remove_forgotten
from components.training.loop import Fit, Goal, checkpoint_dir, run_loop
from components.training.setup import Setup
from components.training.strategy import is_chief

__all__ = ["train_and_export"]


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
