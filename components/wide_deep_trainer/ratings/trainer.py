"""TFX Trainer's run_fn for the rating models."""

from tfx import v1 as tfx

from components.training.loop import Goal
from components.training.train import set_up, train_and_export
from components.training.transformed_data import read_columns
from components.wide_deep_trainer.ratings.config import RMSE, RatingTrainerConfig
from components.wide_deep_trainer.ratings.export import export_model
from components.wide_deep_trainer.ratings.fit import RatingFit


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Trains on the transformed split train, evaluating on eval, and exports the model.

    Args:
        fn_args: TFX's. `custom_config` holds "config", a RatingTrainerConfig as JSON, "code" and
            "checkpoint_root" as `checkpoint_dir` reads them.

    Raises:
        UserError: A setting that this machine or this data cannot meet, or a diverged model.
    """
    setup = set_up(fn_args, RatingTrainerConfig)
    spec = setup.transform_output.transformed_feature_spec()
    train, evaluation = (read_columns(f, spec) for f in (fn_args.train_files, fn_args.eval_files))
    fit = RatingFit(*setup, train, evaluation)
    train_and_export(
        fn_args,
        setup,
        fit,
        Goal(RMSE, higher_is_better=False),
        lambda directory: export_model(fit.model, setup.transform_output, directory),
    )
