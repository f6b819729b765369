"""TFX Trainer's run_fn for the rating models."""

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx

from components.training.strategy import create_strategy
from components.training.train import train_and_export
from components.wide_deep_trainer import rating_features as features
from components.wide_deep_trainer.columnar_training import (
    ColumnarTraining,
    predictor,
    scheduled_rate,
)
from components.wide_deep_trainer.export import export_model
from components.wide_deep_trainer.rating_config import RatingTrainerConfig
from components.wide_deep_trainer.rating_factors import RatingFactors
from components.wide_deep_trainer.rating_network import RatingNetwork
from components.wide_deep_trainer.transformed_data import read_columns
from transforms.checks import from_json
from transforms.vectorize_genres import GENRES

__all__ = ["MAE", "MODELS", "RMSE", "run_fn"]

MODELS = {"deep": RatingNetwork, "factors": RatingFactors}
RMSE = "rmse"
MAE = "mae"

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
    config = from_json(RatingTrainerConfig, fn_args.custom_config["config"])
    strategy = create_strategy(config.num_gpus)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    spec = transform_output.transformed_feature_spec()
    train, evaluation = (read_columns(f, spec) for f in (fn_args.train_files, fn_args.eval_files))

    num_users, num_items = (
        transform_output.vocabulary_size_by_name(vocabulary) + 1
        for vocabulary in (features.USER_VOCABULARY, features.ITEM_VOCABULARY)
    )
    tf.keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = MODELS[config.model_type](config, train, num_users, num_items)
        model({name: tf.constant(column[:1]) for name, column in train.items()})
        rows = len(train[features.RATING])
        optimizer = tf.keras.optimizers.Adam(
            scheduled_rate(config.schedule, config.learning_rate, config, rows)
        )
    training = ColumnarTraining(
        config, strategy, train, [(model.trainable_variables, optimizer)], model.loss
    )
    predict = predictor(model)
    train_and_export(
        fn_args,
        config,
        strategy,
        train_epoch=training.train_epoch,
        evaluate=lambda: _errors(predict(evaluation), evaluation[features.RATING]),
        stop_metric=RMSE,
        higher_is_better=False,
        checkpoint=training.checkpoint,
        export=lambda directory: export_model(
            model, model, transform_output, _REQUEST, directory, _genre_names
        ),
    )


def _genre_names(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns `genre`, string [batch, 19]: the names of a movie's genres, "" for those it is not.

    A slice is a value of a feature, and a vector of 0 and 1 has only those two.
    """
    return {"genre": tf.where(raw[features.GENRES] > 0, tf.constant(GENRES), "")}


def _errors(stars: np.ndarray, ratings: np.ndarray) -> dict[str, float]:
    """Returns the root mean squared and the mean absolute error, in stars."""
    errors = (stars - ratings).astype(np.float64)
    return {
        RMSE: float(np.sqrt(np.mean(np.square(errors)))),
        MAE: float(np.mean(np.abs(errors))),
    }
