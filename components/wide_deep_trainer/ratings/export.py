"""The SavedModel of a rating model: raw ratings in, stars out."""

import tensorflow as tf
import tensorflow_transform as tft

from components.training.export import write_saved_model
from components.wide_deep_trainer.ratings import features
from components.wide_deep_trainer.ratings.model import RatingModel
from transforms.vectorize_genres import GENRES

_REQUEST = (features.USER_ID, features.ITEM_ID, features.TIMESTAMP, features.GENRES)


def export_model(
    model: RatingModel, transform_output: tft.TFTransformOutput, directory: str
) -> None:
    """Writes a SavedModel with three signatures, whose scores are stars, from 0.5 to 5.

    * `serving_default`: `examples` string [batch], serialised raw Examples of one rating or of
      several, of one user or of several, to `scores` float32 [batch, most ratings]. Shorter lists
      are filled with 0.
    * `transform_features`: `examples` string [batch], to the transformed features by name,
      [batch, most ratings] each, as far as they do not depend on the rating.
    * `score`: `user_id`, `item_id` and `timestamp` int64 [batch] and `genres` int64 [batch, 19], to
      `scores` float32 [batch].

    Args:
        model: The trained model.
        transform_output: What preprocesses raw columns; it becomes part of the export.
        directory: Where to write.
    """
    transform = transform_output.transform_features_layer()
    raw_spec = transform_output.raw_feature_spec()
    spec = {name: raw_spec[name] for name in _REQUEST}
    serialised = tf.TensorSpec([None], tf.string, "examples")

    def stars(raw: dict[str, tf.RaggedTensor]) -> tf.RaggedTensor:
        columns = transform(raw)
        flat = {name: column.flat_values for name, column in columns.items()}
        return columns[features.ITEM_ROW].with_flat_values(model(flat))

    @tf.function(input_signature=[serialised])
    def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": stars(tf.io.parse_example(examples, spec)).to_tensor()}

    @tf.function(input_signature=[serialised])
    def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        columns = transform(tf.io.parse_example(examples, spec))
        return {name: column.to_tensor() for name, column in columns.items()}

    def column(name: str, *shape: int) -> tf.TensorSpec:
        return tf.TensorSpec([None, *shape], spec[name].dtype, name)

    @tf.function(
        input_signature=[
            {name: column(name) for name in _REQUEST if name != features.GENRES}
            | {features.GENRES: column(features.GENRES, len(GENRES))}
        ]
    )
    def score(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        # All rows are one list.
        one = {name: tf.reshape(column, [1, -1]) for name, column in raw.items()}
        return {"scores": stars({k: tf.RaggedTensor.from_tensor(v) for k, v in one.items()}).values}

    signatures = {
        "serving_default": serving_default,
        "transform_features": transform_features,
        "score": score,
    }
    write_saved_model(model, transform, signatures, directory)
