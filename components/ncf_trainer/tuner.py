"""TFX Tuner's tuner_fn for NCF."""

import keras_tuner
from tfx import v1 as tfx

from components.ncf_trainer import features
from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.create_fit import create_fit, part_of_histories
from components.ncf_trainer.data import RankingData, read_histories
from components.ncf_trainer.validation import hold_out_last
from components.ranking_metrics.rank import NDCG
from components.training.loop import Goal
from components.training.strategy import input_context
from components.training.train import set_up
from components.tuning.space import among, around
from components.tuning.tuner import LoopTuner


def tuner_fn(fn_args: tfx.components.FnArgs) -> tfx.components.TunerFnResult:
    """Returns a search for the highest NDCG@10 of the last items in the train split.

    Of HR@10 and NDCG@10 the latter tells more models apart, and few raise it alone.

    Args:
        fn_args: TFX's, as LoopTuner reads them; "config" is an NcfTrainerConfig.

    Raises:
        UserError: A setting that this machine or this data cannot meet.
    """
    setup = set_up(fn_args, NcfTrainerConfig)
    users, items = map(setup.transform_output.vocabulary_size_by_name, features.VOCABULARIES)
    part = part_of_histories(setup.config, input_context(setup.strategy))
    split = hold_out_last(read_histories(fn_args.train_files, part), items, setup.config.seed)
    data = RankingData(*split, num_users=users, num_items=items)
    tuner = LoopTuner(
        fn_args,
        setup,
        lambda trial: create_fit(trial.config, trial.strategy, data),
        _space(setup.config),
        Goal(NDCG),
    )
    return tfx.components.TunerFnResult(tuner=tuner, fit_kwargs={})


def _space(config: NcfTrainerConfig) -> keras_tuner.HyperParameters:
    space = keras_tuner.HyperParameters()
    if config.model_type == "next_item" or config.next_item_share:
        among(space, config, "history_half_life", 3.0, 5.0, 8.0)
        around(space, config, "ridge", 4.0)
    if config.model_type == "next_item":
        return space
    around(space, config, "learning_rate", 3.0)
    if config.model_type == "sasrec":
        among(space, config, "dropout", 0.1, 0.2, 0.3)
        return space
    among(space, config, "recency_half_life", 0.0, 5.0, 15.0, 50.0)
    negatives = (max(1, config.num_neg // 2), 2 * config.num_neg)
    among(space, config, "num_neg", *(n for n in negatives if n < config.batch_size))
    if config.model_type != "mlp":
        among(space, config, "num_factors", max(1, config.num_factors // 2), 2 * config.num_factors)
        among(space, config, "mf_regularization", 0.0, 0.0005, 0.005)
    return space
