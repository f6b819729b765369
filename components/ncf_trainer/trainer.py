"""TFX Trainer's run_fn for NCF."""

import tensorflow_transform as tft
from tfx import v1 as tfx

from components.ncf_trainer import features
from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import read_candidates, read_histories
from components.ncf_trainer.export import export_model
from components.ncf_trainer.fit import NcfFit
from components.ranking_metrics.rank import HIT_RATE
from components.training.strategy import create_strategy, input_context
from components.training.train import train_and_export
from transforms.base.settings import from_json

__all__ = ["run_fn"]


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Trains on the transformed split train, evaluating on eval, and exports the model.

    Args:
        fn_args: TFX's. `custom_config` holds "config", an NcfTrainerConfig as JSON, "code" and
            "checkpoint_root" as `checkpoint_dir` reads them.

    Raises:
        UserError: A setting that this machine or this data cannot meet, or a diverged model.
    """
    config = from_json(NcfTrainerConfig, fn_args.custom_config["config"])
    strategy = create_strategy(config.num_gpus)
    context = input_context(strategy)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    fit = NcfFit(
        config,
        strategy,
        read_histories(fn_args.train_files, context),
        read_candidates(fn_args.eval_files, context),
        user_vocabulary=transform_output.vocabulary_size_by_name(features.USER_VOCABULARY),
        item_vocabulary=transform_output.vocabulary_size_by_name(features.ITEM_VOCABULARY),
    )
    train_and_export(
        fn_args,
        config,
        strategy,
        train_epoch=fit.train_epoch,
        evaluate=fit.evaluate,
        stop_metric=HIT_RATE,
        higher_is_better=True,
        checkpoint=fit.checkpoint,
        export=lambda directory: export_model(fit.model, transform_output, directory),
    )
