"""TFX Trainer's run_fn for the census models."""

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx

from components.training.strategy import create_strategy
from components.training.train import train_and_export
from components.wide_deep_trainer import census_features as features
from components.wide_deep_trainer.census_config import CensusTrainerConfig
from components.wide_deep_trainer.columnar_training import (
    ColumnarTraining,
    predictor,
    scheduled_rate,
)
from components.wide_deep_trainer.export import export_model
from components.wide_deep_trainer.transformed_data import read_columns
from components.wide_deep_trainer.wide_deep import WideDeepClassifier
from transforms.checks import from_json
from transforms.errors import UserError

__all__ = ["ACCURACY", "AUC", "run_fn"]

ACCURACY = "accuracy"
AUC = "auc"

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
    config = from_json(CensusTrainerConfig, fn_args.custom_config["config"])
    strategy = create_strategy(config.num_gpus)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    spec = transform_output.transformed_feature_spec()
    train, evaluation = (read_columns(f, spec) for f in (fn_args.train_files, fn_args.eval_files))
    labels = np.unique(evaluation[features.LABEL])
    if len(labels) < 2:
        raise UserError(f"split eval: every label is {labels[0]}; AUC needs rows of both")

    tf.keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = WideDeepClassifier(config, _sizes(config, transform_output))
        model({name: tf.constant(column[:1]) for name, column in train.items()})
        parts = _parts(model, config, rows=len(train[features.LABEL]))
    training = ColumnarTraining(config, strategy, train, parts, model.loss)
    predict = predictor(model.probability)
    train_and_export(
        fn_args,
        config,
        strategy,
        train_epoch=training.train_epoch,
        evaluate=lambda: _metrics(predict(evaluation), evaluation[features.LABEL] == 1),
        stop_metric=ACCURACY,
        higher_is_better=True,
        checkpoint=training.checkpoint,
        export=lambda directory: export_model(
            model,
            lambda rows: model.probability(rows)[:, tf.newaxis],
            transform_output,
            _REQUEST,
            directory,
        ),
    )


def _sizes(config: CensusTrainerConfig, transform_output: tft.TFTransformOutput) -> dict[str, int]:
    """Returns how many ids each categorical feature has."""
    vocabularies = (*features.VOCABULARY, *map(features.value, features.REPEATED))
    return {
        **{name: transform_output.vocabulary_size_by_name(name) + 1 for name in vocabularies},
        **dict.fromkeys(features.HASHED, config.hash_buckets),
        "age_bucket": len(features.AGE_BOUNDARIES) + 1,
    }


def _parts(
    model: WideDeepClassifier, config: CensusTrainerConfig, rows: int
) -> list[tuple[list[tf.Variable], tf.keras.optimizers.Optimizer]]:
    """Returns the variables of each part of the model, with their optimiser."""
    parts = []
    if model.wide:
        ftrl = tf.keras.optimizers.Ftrl(config.wide_learning_rate)
        parts.append((model.wide.trainable_variables, ftrl))
    if model.deep:
        rate = scheduled_rate(config.schedule, config.deep_learning_rate, config, rows)
        if config.deep_optimizer == "adamw":
            optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
        else:
            optimizer = tf.keras.optimizers.Adagrad(rate)
        parts.append((model.deep.trainable_variables, optimizer))
    return parts


def _metrics(scores: np.ndarray, positive: np.ndarray) -> dict[str, float]:
    """Returns accuracy, at a probability of 0.5, and the area under the ROC curve.

    That area is the chance that a positive scores above a negative, ties counted half (Mann and
    Whitney, 1947).
    """
    negatives = np.sort(scores[~positive])
    sides = [np.searchsorted(negatives, scores[positive], side) for side in ("left", "right")]
    return {
        ACCURACY: float(np.mean((scores > 0.5) == positive)),
        AUC: float(np.mean(sides) / len(negatives)),
    }
