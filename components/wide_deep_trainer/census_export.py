"""The SavedModel: raw census rows in, probabilities out, loadable with TensorFlow alone."""

import tensorflow as tf
import tensorflow_transform as tft

from components.wide_deep_trainer.census_features import CATEGORICAL, NUMERIC
from components.wide_deep_trainer.wide_deep import WideDeepClassifier

__all__ = ["export_model"]


def export_model(
    model: WideDeepClassifier, transform_output: tft.TFTransformOutput, directory: str
) -> None:
    """Writes a SavedModel with three signatures.

    A score is the probability of an income above 50K. What a row lacks is filled in as
    `preprocessing_fn` says, so a score is always finite.

    * `serving_default`: `examples` string [batch], serialised raw Examples, to `scores` float32
      [batch, 1].
    * `transform_features`: `examples` string [batch], to the transformed features by name.
    * `score`: a raw column [batch] each of `NUMERIC`, int64, and `CATEGORICAL`, string, to
      `scores` float32 [batch, 1].

    Args:
        model: The trained model.
        transform_output: What preprocesses raw columns; it becomes part of the export.
        directory: Where to write.
    """
    transform = transform_output.transform_features_layer()
    raw_spec = transform_output.raw_feature_spec()
    columns_spec = {name: raw_spec[name] for name in (*NUMERIC, *CATEGORICAL)}
    serialised = tf.TensorSpec([None], tf.string, "examples")

    def scores(columns: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        return {"scores": model.probability(transform(columns))[:, tf.newaxis]}

    @tf.function(input_signature=[serialised])
    def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return scores(tf.io.parse_example(examples, columns_spec))

    @tf.function(input_signature=[serialised])
    def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return transform(tf.io.parse_example(examples, columns_spec))

    @tf.function(
        input_signature=[
            {name: tf.TensorSpec([None], spec.dtype, name) for name, spec in columns_spec.items()}
        ]
    )
    def score(columns: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return scores({name: _one_value_each(column) for name, column in columns.items()})

    module = tf.Module()
    module.model = model
    module.transform = transform
    tf.saved_model.save(
        module,
        directory,
        signatures={
            "serving_default": serving_default,
            "transform_features": transform_features,
            "score": score,
        },
    )


def _one_value_each(column: tf.Tensor) -> tf.SparseTensor:
    # Not tf.sparse.from_dense, which leaves out zeros.
    rows = tf.shape(column, tf.int64)[0]
    indices = tf.stack([tf.range(rows), tf.zeros_like(tf.range(rows))], axis=1)
    return tf.SparseTensor(indices, column, [rows, 1])
