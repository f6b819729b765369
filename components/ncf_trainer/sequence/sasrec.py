"""SASRec: the next item by self-attention over those before it, in order."""

import math

import tensorflow as tf
import tf_keras as keras

from components.ncf_trainer.config import NcfTrainerConfig

_MASKED = -1e9
# Small beside Adam's steps, so that the table is learnt in few of them.
_INITIAL = 0.02
_WIDENED = 2


class SasRec(keras.Model):
    """Self-attentive sequential recommendation (Kang and McAuley, ICDM 2018).

    With what has been learnt since: normalisation before each part, and attention that knows how
    far back an item is instead of an embedding of its place, so that pieces of several histories
    can lie in a row and any length can be served.

    Attributes:
        item_table: Embeddings of the items, which are also what an output is compared with; the
            last row stands for the start of a history.
    """

    def __init__(self, config: NcfTrainerConfig, num_items: int):
        """Creates the variables.

        Args:
            config: Widths, depth, dropout, seed.
            num_items: Items to predict.
        """
        super().__init__(name="sasrec")
        self._compute = tf.bfloat16 if config.mixed_precision else tf.float32
        self._dropout = config.dropout
        self._width = config.num_factors
        normal = keras.initializers.RandomNormal(stddev=_INITIAL, seed=config.seed)
        self.item_table = self.add_weight(
            "item_embedding", [num_items + 1, self._width], initializer=normal
        )
        self.item_bias = self.add_weight("item_bias", [num_items], initializer="zeros")
        policy = "mixed_bfloat16" if config.mixed_precision else "float32"
        self.blocks = [
            _Block(config, seed=config.seed + 10 * (i + 1), name=f"block_{i}", dtype=policy)
            for i in range(config.blocks)
        ]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6)

    def call(self, items: tf.Tensor, places: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Returns what is expected after each item, float32 [rows, length, width].

        Args:
            items: Embedding rows, integer [rows, length].
            places: As in SequenceRows.
            seed: Determines what is dropped, int32 [2]; None drops nothing.
        """
        hidden = self._width**0.5 * tf.gather(self.item_table, items)
        hidden = _dropped(hidden, self._dropout, seed, 0)
        allowed = _allowed(places)
        for i, block in enumerate(self.blocks):
            hidden = block(hidden, allowed, seed, 10 * (i + 1))
        return self.norm(hidden)

    def last_logits(self, items: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
        """Returns the score of every item after the last column, float32 [rows, items]."""
        return self._logits(self(items, places)[:, -1])

    def losses_of(
        self, expected: tf.Tensor, targets: tf.Tensor, sampled: int, seed: tf.Tensor
    ) -> tf.Tensor:
        """Returns the cross-entropy of each target among the items, float32 [n].

        Args:
            expected: What is expected, [n, width].
            targets: Embedding rows, integer [n].
            sampled: Items to draw, the same for all targets, each of which counts as so many times
                one as there are items for it; 0 takes all items. An item that is the target does
                not count again.
            seed: Determines the draw, int32 [2].
        """
        if not sampled:
            return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, self._logits(expected))
        count = self.item_bias.shape[0]
        drawn = tf.random.stateless_uniform([sampled], seed, 0, count, targets.dtype)
        own = tf.reduce_sum(expected * tf.gather(self.item_table, targets), axis=-1)
        own += tf.gather(self.item_bias, targets)
        others = self._products(expected, tf.gather(self.item_table, drawn))
        others += tf.gather(self.item_bias, drawn) + math.log((count - 1) / sampled)
        others = tf.where(tf.equal(targets[:, tf.newaxis], drawn), _MASKED, others)
        logits = tf.concat([own[:, tf.newaxis], others], axis=1)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.zeros_like(targets), logits)

    def _logits(self, expected: tf.Tensor) -> tf.Tensor:
        return self._products(expected, self.item_table[:-1]) + self.item_bias

    def _products(self, expected: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Returns the dot product of each with each, float32."""
        expected, items = tf.cast(expected, self._compute), tf.cast(items, self._compute)
        return tf.cast(tf.matmul(expected, items, transpose_b=True), tf.float32)


class _Block(keras.layers.Layer):
    """Attention and a feed-forward network, each added to what it is given."""

    def __init__(self, config: NcfTrainerConfig, seed: int, **kwargs: object):
        super().__init__(**kwargs)
        self._heads, self._dropout, self._longest = config.heads, config.dropout, config.max_length
        width = config.num_factors
        seeds = iter(range(seed, seed + 10))

        def dense(units: int, activation: str | None = None) -> keras.layers.Dense:
            glorot = keras.initializers.GlorotUniform(seed=next(seeds))
            return keras.layers.Dense(
                units, activation, kernel_initializer=glorot, dtype=self.dtype_policy
            )

        self.attention_norm = keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)
        self.projections = dense(3 * width)
        self.attended = dense(width)
        self.network_norm = keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)
        self.widened = dense(_WIDENED * width, "gelu")
        self.narrowed = dense(width)
        self.distance_bias = self.add_weight(
            "distance_bias", [self._heads, self._longest], initializer="zeros"
        )

    def call(
        self, inputs: tf.Tensor, allowed: tf.Tensor, seed: tf.Tensor | None, first: int
    ) -> tf.Tensor:
        length, width = tf.shape(inputs)[1], inputs.shape[-1]
        parts = self.projections(self.attention_norm(inputs))
        parts = tf.reshape(parts, [-1, length, 3, self._heads, width // self._heads])
        query, key, value = tf.unstack(tf.transpose(parts, [2, 0, 3, 1, 4]))
        weights = tf.matmul(query, key, transpose_b=True) * (width // self._heads) ** -0.5
        back = tf.range(length)[:, tf.newaxis] - tf.range(length)
        back = tf.clip_by_value(back, 0, self._longest - 1)
        weights += tf.gather(self.distance_bias, back, axis=1)
        weights += tf.cast(allowed, weights.dtype)[:, tf.newaxis]
        weights = _dropped(tf.nn.softmax(weights), self._dropout, seed, first)
        joined = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        attended = self.attended(tf.reshape(joined, [-1, length, width]))
        hidden = inputs + _dropped(attended, self._dropout, seed, first + 1)
        network = self.narrowed(self.widened(self.network_norm(hidden)))
        return hidden + _dropped(network, self._dropout, seed, first + 2)


def _allowed(places: tf.Tensor) -> tf.Tensor:
    """Returns what to add to attention, float32 [rows, length, length]: 0 within a piece's past."""
    here = tf.range(tf.shape(places)[1])
    begins = here - tf.cast(places, tf.int32)
    same = tf.equal(begins[:, :, tf.newaxis], begins[:, tf.newaxis])
    past = here[:, tf.newaxis] >= here
    return tf.where(same & past, 0.0, _MASKED)


def _dropped(values: tf.Tensor, rate: float, seed: tf.Tensor | None, place: int) -> tf.Tensor:
    if seed is None or not rate:
        return values
    seed = tf.random.experimental.stateless_fold_in(seed, place)
    return tf.nn.experimental.stateless_dropout(values, rate, seed)
