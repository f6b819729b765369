"""The SavedModel: raw ids in, scores out, with nothing of this project needed to load it."""

import tensorflow as tf
import tensorflow_transform as tft
import tf_keras as keras

from components.ncf_trainer import features
from components.ncf_trainer.best_items import BestItems, similarities
from components.ncf_trainer.model import NcfModel
from components.ncf_trainer.rank_all import rank_all
from components.ncf_trainer.sequence.model import SequenceModel
from components.ranking_metrics import full_ranking


def export_model(
    model: NcfModel | SequenceModel, transform_output: tft.TFTransformOutput, directory: str
) -> None:
    """Writes a SavedModel with six signatures, or eight for a model of histories.

    Of a score, higher is better; those of neumf, gmf and mlp are logits, whose sigmoid is the
    probability of an interaction. Ids have the type of the raw Examples, int64 or string. Those
    that training did not see are scored as the average user and item, or, by a model of histories,
    as a user without a history and with the mean of all items' scores.

    * `serving_default`: `examples` string [batch], serialised raw Examples of which `user_id` and
      `item_id` are read, to `scores` float32 [batch, longest list]. Shorter lists are filled with
      the lowest float32.
    * `transform_features`: `examples` string [batch], to the transformed features by name.
    * `rank_all`: `examples` string [batch], serialised raw Examples of the split eval, to the rank
      of the held-out item among all that are not in `history`; see `full_ranking`.
    * `score`: `user_id` [batch] and `item_id` [batch, items], to `scores` float32 [batch, items].
    * `recommend`: `user_id` [batch], `k` int32, `exclude` [batch, excluded] and `include`
      [batch, included], to the k best items of the vocabulary, best first: `item_id` [batch, k] and
      `scores` float32 [batch, k]. `k` is a scalar, or one value a row, as a request by rows has it:
      then the largest counts. `exclude` holds ids to leave out, and `include` the only ones to
      choose from: all, if it has no column. Shorter lists are filled with any id that training did
      not see, or with one of theirs once more. Where fewer than k items are left, the score is the
      lowest float32, which no item has, and `item_id` is -1 or "": -1 may be an item's id as well.
      Equal scores are ordered by how often training saw the item.
    * `similar`: the same of `item_id` [batch] in the place of `user_id`, to other items; the scores
      are cosines of the items' vectors (`item_vectors`), from -1 to 1. An item that training did
      not see is like none.
    * `score_history` and `recommend_history`: the same of `history` [batch, any] in the place of
      `user_id`: ids in time order, of which those that are no item that training saw, such as -1
      and "" where a history is shorter than the longest, are passed over.

    Args:
        model: The trained model.
        transform_output: What maps raw ids to rows; it becomes part of the export.
        directory: Where to write.
    """
    transform = transform_output.transform_features_layer()
    raw_spec = transform_output.raw_feature_spec()
    ids_spec = {key: raw_spec[key] for key in (features.USER_ID, features.ITEM_ID)}
    id_type = raw_spec[features.USER_ID].dtype
    serialised = tf.TensorSpec([None], tf.string, "examples")
    best = BestItems(transform_output, id_type)

    @tf.function(input_signature=[serialised])
    def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = transform(tf.io.parse_example(examples, ids_spec))
        items = tf.sparse.to_dense(rows[features.ITEM_ROW], default_value=-1)
        scores = model(rows[features.USER_ROW][:, 0], tf.maximum(items, 0))
        return {"scores": tf.where(items >= 0, scores, scores.dtype.min)}

    @tf.function(input_signature=[serialised])
    def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return transform(tf.io.parse_example(examples, raw_spec))

    ranked_spec = {key: raw_spec[key] for key in (*ids_spec, features.LABEL, features.HISTORY)}

    @tf.function(input_signature=[serialised])
    def rank_all_items(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, ranked_spec)
        user_id = parsed[features.USER_ID]
        candidates, history = (
            transform({features.USER_ID: user_id, features.ITEM_ID: parsed[key]})
            for key in (features.ITEM_ID, features.HISTORY)
        )
        held_out = tf.argmax(tf.sparse.to_dense(parsed[features.LABEL]), axis=1)
        items = tf.sparse.to_dense(candidates[features.ITEM_ROW])
        return rank_all(
            model.all_scores,
            best.num_items,
            candidates[features.USER_ROW][:, 0],
            tf.gather(items, held_out, batch_dims=1),
            tf.sparse.to_dense(history[features.ITEM_ROW], default_value=best.num_items),
            _lengths(parsed[features.HISTORY]),
        )

    users_spec = tf.TensorSpec([None], id_type, features.USER_ID)
    items_spec = tf.TensorSpec([None, None], id_type, features.ITEM_ID)
    history_spec = tf.TensorSpec([None, None], id_type, features.HISTORY)
    best_specs = [
        tf.TensorSpec(None, tf.int32, "k"),
        tf.TensorSpec([None, None], id_type, "exclude"),
        tf.TensorSpec([None, None], id_type, "include"),
    ]

    def rows_of(items: tf.Tensor) -> tf.Tensor:
        nobody = tf.fill([tf.shape(items)[0]], best.no_item)
        return _to_rows(transform, nobody, items)[1]

    @tf.function(input_signature=[users_spec, items_spec])
    def score(user_id: tf.Tensor, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": model(*_to_rows(transform, user_id, item_id))}

    @tf.function(input_signature=[users_spec, *best_specs])
    def recommend(
        user_id: tf.Tensor, k: tf.Tensor, exclude: tf.Tensor, include: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        users, excluded = _to_rows(transform, user_id, exclude)
        return best(model.all_scores(users), k, excluded, rows_of(include))

    @tf.function(input_signature=[tf.TensorSpec([None], id_type, features.ITEM_ID), *best_specs])
    def similar(
        item_id: tf.Tensor, k: tf.Tensor, exclude: tf.Tensor, include: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        items = rows_of(item_id[:, tf.newaxis])
        excluded = tf.concat([items, rows_of(exclude)], axis=1)
        return best(similarities(model.item_vectors(), items[:, 0]), k, excluded, rows_of(include))

    signatures = {
        "serving_default": serving_default,
        "transform_features": transform_features,
        full_ranking.SIGNATURE: rank_all_items,
        "score": score,
        "recommend": recommend,
        "similar": similar,
    }
    if isinstance(model, SequenceModel):

        @tf.function(input_signature=[history_spec, items_spec])
        def score_history(history: tf.Tensor, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
            scores = model.of_history(rows_of(history))
            return {"scores": tf.gather(scores, rows_of(item_id), batch_dims=1)}

        @tf.function(input_signature=[history_spec, *best_specs])
        def recommend_history(
            history: tf.Tensor, k: tf.Tensor, exclude: tf.Tensor, include: tf.Tensor
        ) -> dict[str, tf.Tensor]:
            scores = model.of_history(rows_of(history))
            return best(scores, k, rows_of(exclude), rows_of(include))

        signatures |= {"score_history": score_history, "recommend_history": recommend_history}
    module = tf.Module()
    module.model = model
    module.transform = transform
    tf.saved_model.save(module, directory, signatures=signatures)


def _lengths(lists: tf.SparseTensor) -> tf.Tensor:
    """Returns the length of each list, int64 [batch]."""
    return tf.math.unsorted_segment_sum(
        tf.ones_like(lists.indices[:, 0]), lists.indices[:, 0], lists.dense_shape[0]
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
