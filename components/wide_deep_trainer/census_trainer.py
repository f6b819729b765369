"""TFX Trainer's run_fn for the census models."""

import tensorflow as tf
import tensorflow_transform as tft
from absl import logging
from tfx import v1 as tfx

from components.training.loop import checkpoint_dir, run_loop
from components.training.strategy import create_strategy, is_chief
from components.wide_deep_trainer.census_config import CensusTrainerConfig
from components.wide_deep_trainer.census_export import export_model
from components.wide_deep_trainer.census_features import (
    AGE_BOUNDARIES,
    HASHED,
    REPEATED,
    VOCABULARY,
    value,
)
from components.wide_deep_trainer.census_fit import ACCURACY, CensusFit
from components.wide_deep_trainer.transformed_data import read_columns
from transforms.checks import from_json

__all__ = ["run_fn"]


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Trains on the transformed split train, evaluating on eval, and exports the model.

    Args:
        fn_args: TFX's. `custom_config` holds "config", a CensusTrainerConfig as JSON, "code" and
            "checkpoint_root" as `checkpoint_dir` reads them.

    Raises:
        UserError: A setting that this machine or this data cannot meet, or a diverged model.
    """
    config = from_json(CensusTrainerConfig, fn_args.custom_config["config"])
    strategy = create_strategy(config.num_gpus)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    spec = transform_output.transformed_feature_spec()
    fit = CensusFit(
        config,
        strategy,
        read_columns(fn_args.train_files, spec),
        read_columns(fn_args.eval_files, spec),
        _sizes(config, transform_output),
    )
    logging.info("training on %s", ", ".join(strategy.extended.worker_devices))
    checkpoints = checkpoint_dir(fn_args)
    run_loop(
        config,
        strategy=strategy,
        train_epoch=fit.train_epoch,
        evaluate=fit.evaluate,
        stop_metric=ACCURACY,
        higher_is_better=True,
        checkpoint=fit.checkpoint,
        checkpoint_dir=checkpoints,
        log_dir=fn_args.model_run_dir,
    )
    if is_chief(strategy):
        export_model(fit.model, transform_output, fn_args.serving_model_dir)
        if tf.io.gfile.exists(checkpoints):
            tf.io.gfile.rmtree(checkpoints)


def _sizes(
    config: CensusTrainerConfig, transform_output: tft.TFTransformOutput
) -> dict[str, int]:
    """Returns how many ids each categorical feature has."""
    vocabularies = (*VOCABULARY, *(value(name) for name in REPEATED))
    return {
        **{name: transform_output.vocabulary_size_by_name(name) + 1 for name in vocabularies},
        **dict.fromkeys(HASHED, config.hash_buckets),
        "age_bucket": len(AGE_BOUNDARIES) + 1,
    }
