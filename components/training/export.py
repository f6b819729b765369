"""The SavedModel: raw columns in, scores out, loadable with TensorFlow alone."""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf
import tensorflow_transform as tft

_Features = dict[str, tf.Tensor | tf.SparseTensor]


def export_model(
    model: tf.Module,
    score: Callable[[_Features], tf.Tensor],
    transform_output: tft.TFTransformOutput,
    columns: Sequence[str],
    directory: str,
) -> None:
    """Writes a SavedModel with these signatures.

    * `serving_default`: `examples` string [batch], serialised raw Examples, to `scores`.
    * `transform_features`: `examples` string [batch], to the transformed features by name, as far
      as they depend on `columns` alone.
    * `score`: the raw columns, [batch] where a row has one value and [batch, n] where it has n, to
      `scores`.

    Args:
        model: The trained model; holds all variables that `score` reads.
        score: Turns transformed features into scores.
        transform_output: What preprocesses raw columns; it becomes part of the export.
        columns: The raw columns that a score depends on. A column that the schema gives no shape
            may be absent from an Example.
        directory: Where to write.
    """
    transform = transform_output.transform_features_layer()
    raw_spec = transform_output.raw_feature_spec()
    spec = {name: raw_spec[name] for name in columns}
    serialised = tf.TensorSpec([None], tf.string, "examples")

    @tf.function(input_signature=[serialised])
    def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": score(transform(tf.io.parse_example(examples, spec)))}

    @tf.function(input_signature=[serialised])
    def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return transform(tf.io.parse_example(examples, spec))

    @tf.function(
        input_signature=[
            {
                name: tf.TensorSpec([None, *_shape(feature)], feature.dtype, name)
                for name, feature in spec.items()
            }
        ]
    )
    def from_columns(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        parsed = {name: _as_parsed(column, spec[name]) for name, column in raw.items()}
        return {"scores": score(transform(parsed))}

    signatures = {
        "serving_default": serving_default,
        "transform_features": transform_features,
        "score": from_columns,
    }
    write_saved_model(model, transform, signatures, directory)


def write_saved_model(
    model: tf.Module,
    transform: tf.Module,
    signatures: Mapping[str, tf.types.experimental.GenericFunction],
    directory: str,
) -> None:
    """Writes a SavedModel of nothing but signatures and what they read.

    Args:
        model: The trained model; of it, its variables are kept.
        transform: TFTransformOutput's `transform_features_layer()`.
        signatures: By their names.
        directory: Where to write.
    """
    module = tf.Module()
    # Of the model, its variables: Keras would trace each of its layers, to no use.
    module.trained = list(model.variables)
    module.transform = transform
    tf.saved_model.save(module, directory, signatures=signatures)


def _shape(feature: tf.io.FixedLenFeature | tf.io.VarLenFeature) -> list[int]:
    """Returns the shape of a row's values in `score`: [] for one value."""
    shape = getattr(feature, "shape", [1])
    return [] if list(shape) == [1] else list(shape)


def _as_parsed(
    column: tf.Tensor, feature: tf.io.FixedLenFeature | tf.io.VarLenFeature
) -> tf.Tensor | tf.SparseTensor:
    """Returns a column as `tf.io.parse_example` would."""
    rows = tf.shape(column, tf.int64)[0]
    if isinstance(feature, tf.io.FixedLenFeature):
        return tf.reshape(column, [rows, *feature.shape])
    # Not tf.sparse.from_dense, which leaves out zeros.
    indices = tf.stack([tf.range(rows), tf.zeros_like(tf.range(rows))], axis=1)
    return tf.SparseTensor(indices, column, [rows, 1])
