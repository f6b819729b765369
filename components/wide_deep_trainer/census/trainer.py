"""TFX Trainer's run_fn for the census models."""

import tensorflow as tf
from tfx import v1 as tfx

from components.training.export import export_model
from components.training.loop import Goal
from components.training.train import set_up, train_and_export
from components.training.transformed_data import read_columns
from components.wide_deep_trainer.census import features
from components.wide_deep_trainer.census.config import ACCURACY, CensusTrainerConfig
from components.wide_deep_trainer.census.fit import CensusFit

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
    setup = set_up(fn_args, CensusTrainerConfig)
    spec = setup.transform_output.transformed_feature_spec()
    train, evaluation = (read_columns(f, spec) for f in (fn_args.train_files, fn_args.eval_files))
    fit = CensusFit(*setup, train, evaluation)

    def export(directory: str) -> None:
        export_model(
            fit.model,
            lambda rows: fit.model.probability(rows)[:, tf.newaxis],
            setup.transform_output,
            _REQUEST,
            directory,
        )

    train_and_export(fn_args, setup, fit, Goal(ACCURACY), export)
