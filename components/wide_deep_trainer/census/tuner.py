"""TFX Tuner's tuner_fn for the census models."""

import keras_tuner
import tensorflow_transform as tft
from tfx import v1 as tfx

from components.training.strategy import create_strategy
from components.training.transformed_data import read_columns, split_columns
from components.tuning.space import among, around
from components.tuning.tuner import LoopTuner
from components.wide_deep_trainer.census.config import CensusTrainerConfig
from components.wide_deep_trainer.census.fit import AUC, CensusFit
from transforms.base.settings import from_json

__all__ = ["tuner_fn"]


def tuner_fn(fn_args: tfx.components.FnArgs) -> tfx.components.TunerFnResult:
    """Returns a search for the highest AUC on a fifth of the train split, drawn by a hash.

    Of accuracy and AUC the latter tells more models apart.

    Args:
        fn_args: TFX's, as LoopTuner reads them; "config" is a CensusTrainerConfig.

    Raises:
        UserError: A setting that this machine or this data cannot meet.
    """
    config = from_json(CensusTrainerConfig, fn_args.custom_config["config"])
    strategy = create_strategy(config.num_gpus)
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    columns = read_columns(fn_args.train_files, transform_output.transformed_feature_spec())
    train, validation = split_columns(columns, config.seed)
    tuner = LoopTuner(
        fn_args,
        config,
        strategy,
        lambda settings: CensusFit(settings, strategy, transform_output, train, validation),
        space=_space(config),
        metric=AUC,
        higher_is_better=True,
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
