"""The mood of the moment: what a user's ratings nearby in time say of a rating."""

import tensorflow as tf
import tf_keras as keras

# From the click on the next film of a page to the visits of a month, in seconds.
_TIME_SCALES = (2.0, 8.0, 30.0, 120.0, 600.0, 3600.0, 86_400.0, 2_600_000.0)
# Adam moves every weight by about the learning rate, which suits tables of thousands of rows: these
# few shared weights are stored as a tenth of what they stand for.
_GAIN = 10.0


class Session(keras.layers.Layer):
    """A mean of the user's surprises nearby, weighted by time.

    People rate in sessions, a page of similar films at a time, so how far a rating a few seconds
    away was from what was expected of it says much of this one. The weight of a rating falls with
    its distance in time as a sum of exponentials whose heights are learned, and grows with the
    likeness of the items. Learned too are the weight of no surprise at all and the share of the
    mean that counts. It is the neighbourhood term of Koren's "Factorization meets the
    neighborhood" (KDD 2008) with time first and likeness second.
    """

    def __init__(self, members: int):
        """Creates the weights of `members` models."""
        super().__init__(name="session")
        even = keras.initializers.Constant(-1.0 / _GAIN)
        self.heights = self.add_weight("heights", [len(_TIME_SCALES), members], initializer=even)
        self.likeness = self.add_weight("likeness", [members], initializer="zeros")
        self.prior = self.add_weight("prior", [members], initializer="zeros")
        self.share = self.add_weight("share", [members], initializer="zeros")

    def call(
        self, surprise: tf.Tensor, seconds: tf.Tensor, likeness: tf.Tensor, present: tf.Tensor
    ) -> tf.Tensor:
        """Returns what to add to a prediction, float32 [batch, members].

        Args:
            surprise: Stars above what was expected, float32 [batch, neighbours, members].
            seconds: Distance in time, float32 [batch, neighbours].
            likeness: Of the neighbour's item to the item in question, float32 [batch, neighbours].
            present: Whether there is such a neighbour, bool [batch, neighbours].
        """
        near = tf.exp(-seconds[:, :, tf.newaxis] / tf.constant(_TIME_SCALES))
        near *= tf.cast(present, tf.float32)[:, :, tf.newaxis]
        weights = tf.tensordot(near, tf.exp(_GAIN * self.heights), 1)
        weights *= tf.exp(_GAIN * self.likeness * likeness[:, :, tf.newaxis])
        total = tf.reduce_sum(weights, axis=1) + tf.exp(_GAIN * self.prior)
        return tf.exp(_GAIN * self.share) * tf.reduce_sum(weights * surprise, axis=1) / total
