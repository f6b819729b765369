"""The SavedModel: raw ids in, scores out, with nothing of this project needed to load it."""

import tensorflow as tf
import tensorflow_transform as tft

from components.ncf_trainer import features
from components.ncf_trainer.model import NcfModel

__all__ = ["export_model"]


def export_model(model: NcfModel, transform_output: tft.TFTransformOutput, directory: str) -> None:
    """Writes a SavedModel with three signatures.

    A score is a logit: higher is better, its sigmoid is the probability of an interaction. Ids
    that training did not see are scored by the rows for unknown ids.

    * `serving_default`: `examples` string [batch], serialised raw Examples of which `user_id` and
      `item_id` are read, to `scores` float32 [batch, longest list]. Shorter lists are filled with
      the lowest float32.
    * `transform_features`: `examples` string [batch], to the transformed features by name.
    * `score`: `user_id` int64 [batch] and `item_id` int64 [batch, items], to `scores` float32
      [batch, items].

    Args:
        model: The trained model.
        transform_output: What maps raw ids to rows; it becomes part of the export.
        directory: Where to write.
    """
    transform = transform_output.transform_features_layer()
    raw_spec = transform_output.raw_feature_spec()
    ids_spec = {key: raw_spec[key] for key in (features.USER_ID, features.ITEM_ID)}
    serialised = tf.TensorSpec([None], tf.string, "examples")

    @tf.function(input_signature=[serialised])
    def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = transform(tf.io.parse_example(examples, ids_spec))
        items = tf.sparse.to_dense(rows[features.ITEM_ROW], default_value=-1)
        scores = model(rows[features.USER_ROW][:, 0], tf.maximum(items, 0))
        return {"scores": tf.where(items >= 0, scores, scores.dtype.min)}

    @tf.function(input_signature=[serialised])
    def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return transform(tf.io.parse_example(examples, raw_spec))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int64, features.USER_ID),
            tf.TensorSpec([None, None], tf.int64, features.ITEM_ID),
        ]
    )
    def score(user_id: tf.Tensor, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
        shape = tf.shape(item_id, tf.int64)
        # Not tf.sparse.from_dense, which leaves out an id of 0.
        everywhere = tf.where(tf.ones(shape, tf.bool))
        sparse = tf.SparseTensor(everywhere, tf.reshape(item_id, [-1]), shape)
        rows = transform({features.USER_ID: user_id[:, tf.newaxis], features.ITEM_ID: sparse})
        items = tf.reshape(rows[features.ITEM_ROW].values, shape)
        return {"scores": model(rows[features.USER_ROW][:, 0], items)}

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
