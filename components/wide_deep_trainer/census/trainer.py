"""TFX Trainer's run_fn for the census models."""

import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx

from components.training.strategy import create_strategy
from components.training.train import train_and_export
from components.training.transformed_data import read_columns
from components.wide_deep_trainer.census import features
from components.wide_deep_trainer.census.config import CensusTrainerConfig
from components.wide_deep_trainer.census.fit import ACCURACY, CensusFit
from components.wide_deep_trainer.export import export_model
from transforms.base.settings import from_json

__all__ = ["run_fn"]

_REQUEST = (*features.NUMERIC, *features.CATEGORICAL)


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Trains on the transformed split train, evaluating on eval, and exports the model.

    A score of the exported model is the probability of an income above 50K, float32 [batch, 1].
    What a request lacks is filled in as `preprocessing_fn` says, so a score is always finite.

    Args:
        fn_args: TFX's. `custom_config` holds "config", a CensusTrainerConfig as JSON, "code" and
            "checkpoint_root" as `checkpoint_dir` reads them.

    Raises:
        UserError: A setting that this machine or this data cannot meet, an eval split of one
            label, or a diverged model.
    """
    config = from_json(CensusTrainerConfig, fn_args.custom_config["config"])
    strategy = create_strategy(config.num_gpus)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    spec = transform_output.transformed_feature_spec()
    train, evaluation = (read_columns(f, spec) for f in (fn_args.train_files, fn_args.eval_files))
    fit = CensusFit(config, strategy, transform_output, train, evaluation)
    train_and_export(
        fn_args,
        config,
        strategy,
        train_epoch=fit.train_epoch,
        evaluate=fit.evaluate,
        stop_metric=ACCURACY,
        higher_is_better=True,
        checkpoint=fit.checkpoint,
        export=lambda directory: export_model(
            fit.model,
            lambda rows: fit.model.probability(rows)[:, tf.newaxis],
            transform_output,
            _REQUEST,
            directory,
        ),
    )
