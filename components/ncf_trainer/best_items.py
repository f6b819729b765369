"""The best items of rows of scores, in the graph of the exported model."""

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.ncf_trainer import features


class BestItems:
    """Turns scores into raw ids, best first.

    Attributes:
        num_items: How many there are.
        no_item: What stands in the place of an id where no item is left.
    """

    def __init__(self, transform_output: tft.TFTransformOutput, id_type: tf.DType):
        """Reads the vocabulary, whose order is that of rows; ids are of type `id_type`."""
        vocabulary = np.array(transform_output.vocabulary_by_name(features.ITEM_VOCABULARY))
        ids = vocabulary if id_type == tf.string else vocabulary.astype(np.int64)
        self.num_items = len(ids)
        self._ids = tf.constant(ids)
        self.no_item = tf.constant("" if id_type == tf.string else -1, id_type)

    def __call__(
        self, scores: tf.Tensor, k: tf.Tensor, excluded: tf.Tensor, included: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns what the signature `recommend` does.

        Args:
            scores: Float32 [batch, items + 1]; the last column is that of any unknown item.
            k: As of the signature.
            excluded: Rows of items, int64 [batch, any].
            included: Rows of items, int64 [batch, any]; with no column, of all.
        """
        checks = [
            tf.debugging.assert_equal(
                tf.shape(rows)[0], tf.shape(scores)[0], f"{name} must have a row for each asked"
            )
            for name, rows in (("exclude", excluded), ("include", included))
        ]
        with tf.control_dependencies(checks):
            scores = tf.identity(scores)
        scores = lowered(_restricted(scores, included), excluded)
        # The last row stands for unknown ids: it takes the scatter's padding and is no item.
        wanted = tf.reduce_max(k)
        best = tf.math.top_k(scores[:, :-1], tf.minimum(wanted, self.num_items))
        there = best.values > scores.dtype.min
        ids = tf.where(there, tf.gather(self._ids, best.indices), self.no_item)
        padding = [[0, 0], [0, wanted - tf.shape(ids)[1]]]
        return {
            features.ITEM_ID: tf.pad(ids, padding, constant_values=self.no_item),
            "scores": tf.pad(best.values, padding, constant_values=scores.dtype.min),
        }


def similarities(vectors: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Returns the cosines of items' vectors, as scores of which the lowest is that of no item.

    Args:
        vectors: Float32 [items, width].
        rows: The items to compare with, int64 [batch]; the number of items is an unknown one.

    Returns:
        Float32 [batch, items + 1], as BestItems takes them.
    """
    known = rows[:, tf.newaxis] < tf.shape(vectors, tf.int64)[0]
    unit = tf.math.l2_normalize(vectors, axis=1)
    asked = tf.gather(unit, tf.where(known[:, 0], rows, 0))
    cosines = tf.matmul(asked, unit, transpose_b=True)
    lowest = cosines.dtype.min
    return tf.pad(tf.where(known, cosines, lowest), [[0, 0], [0, 1]], constant_values=lowest)


def lowered(scores: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Returns scores [batch, items + 1] with the lowest float32 at rows [batch, any]."""
    lowest = tf.fill(tf.shape(rows), scores.dtype.min)
    return tf.tensor_scatter_nd_update(scores, _places(rows), lowest)


def _restricted(scores: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Returns scores with the lowest float32 at all but rows [batch, any], if there is a column."""
    lowest = tf.fill(tf.shape(scores), scores.dtype.min)
    return tf.cond(
        tf.shape(rows)[1] > 0,
        lambda: tf.tensor_scatter_nd_update(
            lowest, _places(rows), tf.gather(scores, rows, batch_dims=1)
        ),
        lambda: scores,
    )


def _places(rows: tf.Tensor) -> tf.Tensor:
    """Returns the places of rows [batch, any] in a matrix, [batch, any, 2]."""
    batch = tf.range(tf.shape(rows)[0], dtype=rows.dtype)
    return tf.stack([tf.broadcast_to(batch[:, tf.newaxis], tf.shape(rows)), rows], axis=-1)
