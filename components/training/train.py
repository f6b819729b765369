"""What every run_fn ends with: the epoch loop, the export, and no checkpoint left behind."""

import os
from collections.abc import Callable

import tensorflow as tf
from absl import logging
from tfx import v1 as tfx

from components.training.checkpoints import Checkpoints, remove_forgotten
from components.training.config import LoopConfig
from components.training.loop import EpochStats, checkpoint_dir, run_loop
from components.training.strategy import is_chief

__all__ = ["train_and_export"]


def train_and_export(
    fn_args: tfx.components.FnArgs,
    config: LoopConfig,
    strategy: tf.distribute.Strategy,
    *,
    train_epoch: Callable[[int], EpochStats],
    evaluate: Callable[[], dict[str, float]],
    stop_metric: str,
    higher_is_better: bool,
    checkpoint: tf.train.Checkpoint,
    export: Callable[[str], None],
) -> None:
    """Trains, or goes on where a killed attempt stopped, and exports the model.

    Args:
        fn_args: TFX's, as `checkpoint_dir` reads them; logs go to `model_run_dir`.
        config: See `run_loop`, as for all that is not named here.
        strategy: See `run_loop`. Only its chief exports.
        train_epoch: See `run_loop`.
        evaluate: See `run_loop`.
        stop_metric: See `run_loop`.
        higher_is_better: See `run_loop`.
        checkpoint: See `run_loop`.
        export: Writes the trained model to the folder it is given.

    Raises:
        UserError: The loss or a metric is not finite.
    """
    logging.info("training on %s", ", ".join(strategy.extended.worker_devices))
    folder = checkpoint_dir(fn_args)
    checkpoints = Checkpoints(folder)
    run_loop(
        config,
        strategy=strategy,
        train_epoch=train_epoch,
        evaluate=evaluate,
        stop_metric=stop_metric,
        higher_is_better=higher_is_better,
        checkpoint=checkpoint,
        checkpoints=checkpoints,
        log_dir=fn_args.model_run_dir,
    )
    if is_chief(strategy):
        export(fn_args.serving_model_dir)
        checkpoints.remove()
        remove_forgotten(os.path.dirname(folder))
