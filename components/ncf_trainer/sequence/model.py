"""A model of users by their histories: SASRec, the closed form, or one blended with the other."""

import tensorflow as tf
import tf_keras as keras

from components.ncf_trainer.sequence.next_item import NextItem
from components.ncf_trainer.sequence.sasrec import SasRec
from components.ncf_trainer.sequence.windows import HistoryTable, Windows, windows_of


class SequenceModel(keras.Model):
    """Scores items for users whose histories it holds, and for histories that it is given.

    Attributes:
        histories: Of the users it was trained on.
        sasrec: The network, or None.
        next_item: The closed form, or None.
    """

    def __init__(
        self,
        histories: HistoryTable,
        sasrec: SasRec | None,
        next_item: NextItem | None,
        share: float,
    ):
        """Puts a model together.

        Args:
            histories: Of all users.
            sasrec: The network; None for the closed form alone.
            next_item: The closed form; None for the network alone.
            share: Weight of the closed form beside the network, whose weight is 1 less that. Each
                user's scores by either are brought to mean 0 and variance 1 first.
        """
        super().__init__(name="sequence")
        self.histories, self.sasrec, self.next_item = histories, sasrec, next_item
        self._share = share

    def call(self, users: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Returns float32 [batch, items] of users [batch] and items [batch, items], both rows."""
        return tf.gather(self.all_scores(users), items, batch_dims=1)

    def all_scores(self, users: tf.Tensor) -> tf.Tensor:
        """Returns float32 [batch, items + 1] of users by their rows; see `of_windows`."""
        return self.of_windows(self.histories(users))

    def item_vectors(self) -> tf.Tensor:
        """Returns the items' embeddings, float32 [items, width].

        Of the closed form alone, what each item makes likely to come next, [items, items].
        """
        if self.sasrec is None:
            assert self.next_item is not None
            return tf.convert_to_tensor(self.next_item.weights_table)
        return self.sasrec.item_table[:-1]

    def of_history(self, items: tf.Tensor) -> tf.Tensor:
        """Returns float32 [batch, items + 1] of histories, as `windows_of` takes them."""
        return self.of_windows(windows_of(items, self.histories.num_items, self.histories.length))

    def of_windows(self, windows: Windows) -> tf.Tensor:
        """Returns float32 [batch, items + 1]; the last is that of any unknown item, the mean."""
        found = []
        if self.sasrec is not None:
            found.append(self.sasrec.last_logits(windows.items, windows.places))
        if self.next_item is not None:
            found.append(self.next_item(windows))
        scores = found[0]
        if len(found) == 2:
            network, linear = map(_standard, found)
            scores = (1 - self._share) * network + self._share * linear
        return tf.concat([scores, tf.reduce_mean(scores, axis=1, keepdims=True)], axis=1)


def _standard(scores: tf.Tensor) -> tf.Tensor:
    mean, variance = tf.nn.moments(scores, axes=[1], keepdims=True)
    return (scores - mean) * tf.math.rsqrt(tf.maximum(variance, 1e-12))
