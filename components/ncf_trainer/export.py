"""The SavedModel: raw ids in, scores out, with nothing of this project needed to load it."""

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tf_keras as keras

from components.ncf_trainer import features
from components.ncf_trainer.model import NcfModel


def export_model(model: NcfModel, transform_output: tft.TFTransformOutput, directory: str) -> None:
    """Writes a SavedModel with four signatures.

    A score is a logit: higher is better, its sigmoid is the probability of an interaction. Ids
    have the type of the raw Examples, int64 or string. Those that training did not see are scored
    by the rows for unknown ids.

    * `serving_default`: `examples` string [batch], serialised raw Examples of which `user_id` and
      `item_id` are read, to `scores` float32 [batch, longest list]. Shorter lists are filled with
      the lowest float32.
    * `transform_features`: `examples` string [batch], to the transformed features by name.
    * `score`: `user_id` [batch] and `item_id` [batch, items], to `scores` float32 [batch, items].
    * `recommend`: `user_id` [batch], `k` int32 and `exclude` [batch, excluded], to the k best items
      of the vocabulary, best first: `item_id` [batch, k] and `scores` float32 [batch, k]. `k` is a
      scalar, or one value a row, as a request by rows has it: then the largest counts. `exclude`
      holds ids to leave out; shorter lists are filled with any id that training did not see, or
      with one of theirs once more. Where fewer than k items are left, the score is the lowest
      float32, which no item has, and `item_id` is -1 or "": -1 may be an item's id as well. Equal
      scores are ordered by how often training saw the item.

    Args:
        model: The trained model.
        transform_output: What maps raw ids to rows; it becomes part of the export.
        directory: Where to write.
    """
    transform = transform_output.transform_features_layer()
    raw_spec = transform_output.raw_feature_spec()
    ids_spec = {key: raw_spec[key] for key in (features.USER_ID, features.ITEM_ID)}
    id_type = raw_spec[features.USER_ID].dtype
    no_item = tf.constant("" if id_type == tf.string else -1, id_type)
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
            tf.TensorSpec([None], id_type, features.USER_ID),
            tf.TensorSpec([None, None], id_type, features.ITEM_ID),
        ]
    )
    def score(user_id: tf.Tensor, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": model(*_to_rows(transform, user_id, item_id))}

    vocabulary = np.array(transform_output.vocabulary_by_name(features.ITEM_VOCABULARY))
    known_ids = tf.constant(vocabulary if id_type == tf.string else vocabulary.astype(np.int64))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], id_type, features.USER_ID),
            tf.TensorSpec(None, tf.int32, "k"),
            tf.TensorSpec([None, None], id_type, "exclude"),
        ]
    )
    def recommend(user_id: tf.Tensor, k: tf.Tensor, exclude: tf.Tensor) -> dict[str, tf.Tensor]:
        users, excluded = _to_rows(transform, user_id, exclude)
        scores = model(users, tf.range(len(vocabulary) + 1)[tf.newaxis])
        batch = tf.broadcast_to(tf.range(tf.shape(exclude)[0])[:, tf.newaxis], tf.shape(exclude))
        scores = tf.tensor_scatter_nd_update(
            scores,
            tf.stack([tf.cast(batch, tf.int64), excluded], axis=-1),
            tf.fill(tf.shape(exclude), scores.dtype.min),
        )
        # The last row stands for unknown ids: it takes the scatter's padding and is no item.
        wanted = tf.reduce_max(k)
        best = tf.math.top_k(scores[:, :-1], tf.minimum(wanted, len(vocabulary)))
        ids = tf.where(best.values > scores.dtype.min, tf.gather(known_ids, best.indices), no_item)
        padding = [[0, 0], [0, wanted - tf.shape(ids)[1]]]
        return {
            features.ITEM_ID: tf.pad(ids, padding, constant_values=no_item),
            "scores": tf.pad(best.values, padding, constant_values=scores.dtype.min),
        }

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
            "recommend": recommend,
        },
    )


def _to_rows(
    transform: keras.layers.Layer, user_id: tf.Tensor, item_id: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the rows of users [batch] and of items [batch, items], of any raw ids."""
    shape = tf.shape(item_id, tf.int64)
    # Not tf.sparse.from_dense, which leaves out an id of 0.
    everywhere = tf.where(tf.ones(shape, tf.bool))
    sparse = tf.SparseTensor(everywhere, tf.reshape(item_id, [-1]), shape)
    rows = transform({features.USER_ID: user_id[:, tf.newaxis], features.ITEM_ID: sparse})
    return rows[features.USER_ROW][:, 0], tf.reshape(rows[features.ITEM_ROW].values, shape)
