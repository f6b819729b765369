"""TFX Trainer's run_fn for the rating models."""

import tensorflow as tf
from tfx import v1 as tfx

from components.training.export import export_model
from components.training.loop import Goal
from components.training.train import set_up, train_and_export
from components.training.transformed_data import read_columns
from components.wide_deep_trainer.ratings import features
from components.wide_deep_trainer.ratings.config import RMSE, RatingTrainerConfig
from components.wide_deep_trainer.ratings.fit import RatingFit
from transforms.vectorize_genres import GENRES

_REQUEST = (features.USER_ID, features.ITEM_ID, features.TIMESTAMP, features.GENRES)


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Trains on the transformed split train, evaluating on eval, and exports the model.

    A score of the exported model is a rating in stars, float32 [batch], from 0.5 to 5.

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

    def export(directory: str) -> None:
        export_model(
            fit.model, fit.model, setup.transform_output, _REQUEST, directory, _genre_names
        )

    train_and_export(fn_args, setup, fit, Goal(RMSE, higher_is_better=False), export)


def _genre_names(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns `genre`, string [batch, 19]: the names of a movie's genres, "" for those it is not.

    A slice is a value of a feature, and a vector of 0 and 1 has only those two.
    """
    return {"genre": tf.where(raw[features.GENRES] > 0, tf.constant(GENRES), "")}
