"""TFX Trainer's run_fn for NCF."""

from tfx import v1 as tfx

from components.ncf_trainer import features
from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.create_fit import create_fit, part_of_histories
from components.ncf_trainer.data import RankingData, read_candidates, read_histories
from components.ncf_trainer.export import export_model
from components.ranking_metrics.rank import HIT_RATE
from components.training.loop import Goal
from components.training.strategy import input_context
from components.training.train import set_up, train_and_export


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Trains on the transformed split train, evaluating on eval, and exports the model.

    Args:
        fn_args: TFX's. `custom_config` holds "config", an NcfTrainerConfig as JSON, "code" and
            "checkpoint_root" as `checkpoint_dir` reads them.

    Raises:
        UserError: A setting that this machine or this data cannot meet, or a diverged model.
    """
    setup = set_up(fn_args, NcfTrainerConfig)
    context = input_context(setup.strategy)
    data = RankingData(
        read_histories(fn_args.train_files, part_of_histories(setup.config, context)),
        read_candidates(fn_args.eval_files, context),
        *map(setup.transform_output.vocabulary_size_by_name, features.VOCABULARIES),
    )
    fit = create_fit(setup.config, setup.strategy, data)
    train_and_export(
        fn_args,
        setup,
        fit,
        Goal(HIT_RATE),
        lambda directory: export_model(fit.model, setup.transform_output, directory),
    )
