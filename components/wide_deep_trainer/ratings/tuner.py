"""TFX Tuner's tuner_fn for the rating models."""

import keras_tuner
from tfx import v1 as tfx

from components.training.loop import Goal
from components.training.train import set_up
from components.training.transformed_data import read_columns, split_columns
from components.tuning.space import among, around
from components.tuning.tuner import LoopTuner
from components.wide_deep_trainer.ratings import features
from components.wide_deep_trainer.ratings.config import RMSE, RatingTrainerConfig
from components.wide_deep_trainer.ratings.fit import RatingFit


def tuner_fn(fn_args: tfx.components.FnArgs) -> tfx.components.TunerFnResult:
    """Returns a search for the lowest RMSE on a fifth of the train split, drawn by a hash.

    Args:
        fn_args: TFX's, as LoopTuner reads them; "config" is a RatingTrainerConfig.

    Raises:
        UserError: A setting that this machine or this data cannot meet.
    """
    setup = set_up(fn_args, RatingTrainerConfig)
    spec = setup.transform_output.transformed_feature_spec()
    columns = read_columns(fn_args.train_files, spec)
    train, validation = split_columns(
        columns, setup.config.seed, columns[features.USER_ROW], columns[features.ITEM_ROW]
    )
    tuner = LoopTuner(
        fn_args,
        setup,
        lambda trial: RatingFit(*trial, train, validation),
        _space(setup.config),
        Goal(RMSE, higher_is_better=False),
    )
    return tfx.components.TunerFnResult(tuner=tuner, fit_kwargs={})


def _space(config: RatingTrainerConfig) -> keras_tuner.HyperParameters:
    space = keras_tuner.HyperParameters()
    around(space, config, "learning_rate", 3.0)
    if config.model_type == "deep":
        among(space, config, "dropout", 0.0, 0.15, 0.3, 0.45)
    else:
        among(space, config, "num_factors", max(1, config.num_factors // 2), 2 * config.num_factors)
        among(space, config, "factor_regularization", 4.5, 9.0, 18.0)
        among(space, config, "bias_regularization", 1.5, 3.0, 6.0)
    return space
