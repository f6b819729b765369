"""TFX Tuner's tuner_fn for the census models."""

import keras_tuner
from tfx import v1 as tfx

from components.training.loop import Goal
from components.training.train import set_up
from components.training.transformed_data import read_columns, split_columns
from components.tuning.space import among, around
from components.tuning.tuner import LoopTuner
from components.wide_deep_trainer.census.config import AUC, CensusTrainerConfig
from components.wide_deep_trainer.census.fit import CensusFit


def tuner_fn(fn_args: tfx.components.FnArgs) -> tfx.components.TunerFnResult:
    """Returns a search for the highest AUC on a fifth of the train split, drawn by a hash.

    Of accuracy and AUC the latter tells more models apart.

    Args:
        fn_args: TFX's, as LoopTuner reads them; "config" is a CensusTrainerConfig.

    Raises:
        UserError: A setting that this machine or this data cannot meet.
    """
    setup = set_up(fn_args, CensusTrainerConfig)
    spec = setup.transform_output.transformed_feature_spec()
    columns = read_columns(fn_args.train_files, spec)
    train, validation = split_columns(columns, setup.config.seed)
    tuner = LoopTuner(
        fn_args,
        setup,
        lambda trial: CensusFit(*trial, train, validation),
        _space(setup.config),
        Goal(AUC),
    )
    return tfx.components.TunerFnResult(tuner=tuner, fit_kwargs={})


def _space(config: CensusTrainerConfig) -> keras_tuner.HyperParameters:
    space = keras_tuner.HyperParameters()
    if config.model_type != "deep":
        around(space, config, "wide_learning_rate", 4.0)
    if config.model_type != "wide":
        around(space, config, "deep_learning_rate", 3.0)
        among(space, config, "dropout", 0.0, 0.1, 0.2, 0.3)
        if config.deep_optimizer == "adamw":
            among(space, config, "weight_decay", 0.001, 0.01, 0.1)
    return space
