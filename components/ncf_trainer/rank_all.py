"""Held-out items ranked among all items, in the graph of the exported model."""

from collections.abc import Callable

import tensorflow as tf

from components.ncf_trainer.best_items import lowered
from components.ranking_metrics import full_ranking

# Bounds the memory for scores: of a network, a pair has a few hundred bytes.
_PAIRS_TOGETHER = 1 << 20


def rank_all(
    all_scores: Callable[[tf.Tensor], tf.Tensor],
    num_items: int,
    users: tf.Tensor,
    held_out: tf.Tensor,
    histories: tf.Tensor,
    lengths: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Returns what the signature `full_ranking.SIGNATURE` does, by the names that are there.

    rank = 1 + #(items not in the history scored higher) + #(others of those scored equal): exact,
    and ties count against the model. An item that training did not see is ranked by the score that
    any such item has. The rank is NaN where any of the user's scores is not finite. Where a
    history is empty no score is computed.

    Args:
        all_scores: Returns float32 [users, items + 1] of rows [users]; the last column is that of
            any unknown item.
        num_items: Items in the vocabulary.
        users: Rows, int64 [batch].
        held_out: Rows, int64 [batch]; `num_items` is an unknown one.
        histories: Rows, int64 [batch, longest], and `num_items` where one is shorter.
        lengths: Of the histories, with items that are unknown, integer [batch].
    """
    together = max(1, _PAIRS_TOGETHER // (num_items + 1))
    batch = tf.shape(users)[0]
    asked = tf.where(lengths > 0)
    some_users, some_held_out, some_histories = (
        tf.gather(rows, asked[:, 0]) for rows in (users, held_out, histories)
    )
    ranks = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)
    tops = tf.TensorArray(tf.int32, 0, dynamic_size=True, infer_shape=False)
    # Once even for nobody: what is written nothing to has no shape.
    for start in tf.range(0, tf.maximum(tf.shape(asked)[0], 1), together):
        some = slice(start, start + together)
        scores = all_scores(some_users[some])
        rank, top = _rank(scores, some_held_out[some], some_histories[some])
        ranks = ranks.write(ranks.size(), rank)
        tops = tops.write(tops.size(), top)
    lacking = full_ranking.LONGEST - min(full_ranking.LONGEST, num_items)
    top = tf.pad(tops.concat(), [[0, 0], [0, lacking]], constant_values=-1)
    nothing = tf.fill([batch, full_ranking.LONGEST], -1)
    return {
        full_ranking.RANK: tf.scatter_nd(asked, ranks.concat(), [batch])[:, tf.newaxis],
        full_ranking.TOP: tf.cast(tf.tensor_scatter_nd_update(nothing, asked, top), tf.int64),
        full_ranking.HISTORY: tf.where(histories < num_items, histories, -1),
        full_ranking.ITEMS: tf.fill([batch, 1], tf.constant(num_items, tf.int64)),
    }


def _rank(
    scores: tf.Tensor, held_out: tf.Tensor, histories: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the ranks, float32 [batch], and the best rows, int32 [batch, LONGEST or items]."""
    finite = tf.reduce_all(tf.math.is_finite(scores), axis=1)
    own = tf.gather(scores, held_out, batch_dims=1)[:, tf.newaxis]
    left = lowered(scores, histories)[:, :-1]
    as_high = tf.reduce_sum(tf.cast(left >= own, tf.float32), axis=1)
    # An unknown item is not among those that are as high as itself.
    unknown = tf.cast(held_out == left.shape[1], tf.float32)
    best = tf.math.top_k(left, min(full_ranking.LONGEST, left.shape[1]))
    rank = tf.where(finite, as_high + unknown, float("nan"))
    return rank, tf.where(best.values > left.dtype.min, best.indices, -1)
