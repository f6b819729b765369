"""What the users in the train split have rated, and when: the part of a model that remembers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.training.weights import kept_weight
from components.wide_deep_trainer.ratings import features
from transforms.parsing.rating_scale import LATEST_SECOND

_SECONDS = LATEST_SECOND + 1


class Neighbours(NamedTuple):
    """A user's ratings next to a moment, [batch, neighbours] each.

    Attributes:
        items: Rows of the rated items, int64.
        ratings: Stars, float32.
        seconds: Time between the rating and the moment, at least 0, float32.
        present: Whether there is such a rating, bool.
    """

    items: tf.Tensor
    ratings: tf.Tensor
    seconds: tf.Tensor
    present: tf.Tensor


class RatingMemory(keras.layers.Layer):
    """All ratings in order of user and time, found by binary search.

    A rating takes 20 bytes, in memory and in an exported model.
    """

    def __init__(self, columns: dict[str, np.ndarray], count: int, causal: bool):
        """Copies the ratings into variables, unless none is ever to be returned.

        Args:
            columns: The transformed train split: user and item rows, timestamps, ratings.
            count: Neighbours to return; half of them come before the moment, half after.
            causal: Whether all of them come before it instead, in an earlier second.
        """
        super().__init__(name="memory")
        if not count:
            columns = {name: column[:0] for name, column in columns.items()}
        keys = _keys(columns, np.clip)
        order = np.lexsort((columns[features.ITEM_ROW], keys))
        self._offsets = np.arange(count) - (count if causal else count // 2)
        self.keys = kept_weight(self, "keys", keys[order])
        self.items = kept_weight(self, "items", columns[features.ITEM_ROW][order])
        self.ratings = kept_weight(self, "ratings", columns[features.RATING][order])

    def call(self, columns: dict[str, tf.Tensor]) -> Neighbours:
        """Returns each user's ratings around each timestamp.

        A user's own rating of the item in question is never among them, so that a model that is
        trained on the remembered ratings cannot look up what it is to predict.
        """
        keys = _keys(columns, tf.clip_by_value)
        here = tf.searchsorted(self.keys, keys, out_type=tf.int64)
        places = here[:, tf.newaxis] + self._offsets
        inside = (places >= 0) & (places < self.keys.shape[0])
        places = tf.clip_by_value(places, 0, self.keys.shape[0] - 1)
        found, items = tf.gather(self.keys, places), tf.gather(self.items, places)
        keys, own_items = keys[:, tf.newaxis], columns[features.ITEM_ROW][:, tf.newaxis]
        same_user = tf.equal(found // _SECONDS, keys // _SECONDS)
        return Neighbours(
            items=items,
            ratings=tf.gather(self.ratings, places),
            seconds=tf.cast(tf.abs(found - keys), tf.float32),
            present=inside & same_user & tf.not_equal(items, own_items),
        )


def _keys(columns: dict[str, Any], clip: Callable[..., Any]) -> np.ndarray | tf.Tensor:
    """Returns integers that order ratings by user, then by time."""
    return columns[features.USER_ROW] * _SECONDS + clip(
        columns[features.TIMESTAMP], 0, LATEST_SECOND
    )
