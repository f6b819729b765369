"""GMF, MLP and NeuMF, listwise: one user against a list of items.

He et al., "Neural Collaborative Filtering", WWW 2017. The score is the logit: higher is better,
and its sigmoid is the probability of an interaction.
"""

import itertools
from typing import NamedTuple

import tensorflow as tf
import tf_keras as keras

from components.ncf_trainer.config import NcfTrainerConfig


class Embedded(NamedTuple):
    """Embeddings of users, [batch, width], or of items, [batch or 1, items, width].

    Attributes:
        gmf: The GMF embedding; None in a model of type "mlp".
        mlp: The MLP embedding; None in a model of type "gmf".
    """

    gmf: tf.Tensor | None
    mlp: tf.Tensor | None


class NcfModel(keras.Model):
    """Scores lists of items for users.

    Every table has one row more than its vocabulary, for ids outside it. The GMF and the MLP
    embedding of an id lie side by side in one table, so that one lookup fetches both. The first
    dense layer is applied to the user's and to the item's half of its input apart and summed,
    which is the same layer with the user's part computed once a row.
    """

    def __init__(self, config: NcfTrainerConfig, num_users: int, num_items: int):
        """Creates the variables.

        Args:
            config: Model type, widths, precision, seed.
            num_users: Rows of the user table.
            num_items: Rows of the item table.
        """
        super().__init__(name=config.model_type)
        self._compute = tf.bfloat16 if config.mixed_precision else tf.float32
        self._config = config
        self._factors = config.num_factors if config.model_type != "mlp" else 0
        widths = config.layers if config.model_type != "gmf" else (0,)
        half = widths[0] // 2
        seeds = itertools.count(1000 * config.seed)

        def table(name: str, rows: int) -> tf.Variable:
            normal = keras.initializers.RandomNormal(stddev=0.01, seed=next(seeds))
            return self.add_weight(name, [rows, self._factors + half], initializer=normal)

        def kernel(name: str, inputs: int, outputs: int) -> tf.Variable:
            glorot = keras.initializers.GlorotUniform(seed=next(seeds))
            return self.add_weight(name, [inputs, outputs], initializer=glorot)

        self.user_table = table("user_embedding", num_users)
        self.item_table = table("item_embedding", num_items)
        self.kernels = [
            kernel(f"kernel_{i}", *pair) for i, pair in enumerate(itertools.pairwise(widths))
        ]
        self.biases = [
            self.add_weight(f"bias_{i}", [width], initializer="zeros")
            for i, width in enumerate(widths[1:])
        ]
        self.output_kernel = kernel("output_kernel", self._factors + widths[-1], 1)
        self.output_bias = self.add_weight("output_bias", [1], initializer="zeros")

    def call(self, users: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Scores lists of items.

        Args:
            users: Rows of the user table, integer [batch].
            items: Rows of the item table, integer [batch, items], or [1, items] for one list that
                all users share.

        Returns:
            Logits, float32 [batch, items].
        """
        return self.score(*self.embed(users, items))

    def all_scores(self, users: tf.Tensor) -> tf.Tensor:
        """Returns float32 [batch, items + 1] of users [batch]; the last is of any unknown item."""
        return self(users, tf.range(self.item_table.shape[0])[tf.newaxis])

    def item_vectors(self) -> tf.Tensor:
        """Returns the items' embeddings, GMF's and MLP's side by side, float32 [items, width]."""
        return self.item_table[:-1]

    def embed(self, users: tf.Tensor, items: tf.Tensor) -> tuple[Embedded, Embedded]:
        """Looks up the embeddings of users [batch] and of items [batch or 1, items]."""
        return self._lookup(self.user_table, users), self._lookup(self.item_table, items)

    def score(self, users: Embedded, items: Embedded) -> tf.Tensor:
        """Returns the logits, float32 [batch, items], of what `embed` returned."""
        gmf_output, mlp_output = tf.split(
            tf.cast(self.output_kernel, self._compute), [self._factors, -1]
        )
        logits = []
        if self._factors:
            weighted = tf.cast(users.gmf, self._compute) * gmf_output[:, 0]
            logits.append(_products(weighted, tf.cast(items.gmf, self._compute)))
        if self.kernels:
            hidden = self._mlp(tf.cast(users.mlp, self._compute), tf.cast(items.mlp, self._compute))
            logits.append(tf.reshape(tf.matmul(hidden, mlp_output), [-1, tf.shape(items.mlp)[1]]))
        return tf.cast(tf.add_n(logits), tf.float32) + self.output_bias

    def average_unknown(self) -> None:
        """Sets the rows for ids outside the vocabularies to the mean of the others.

        Such an id is then scored as the average user or item, not by untrained weights.
        """
        for table in (self.user_table, self.item_table):
            known = table[:-1]
            table.assign(tf.concat([known, tf.reduce_mean(known, axis=0, keepdims=True)], axis=0))

    def penalty(self, users: Embedded, items: Embedded) -> tf.Tensor:
        """Returns the L2 term of a batch, a scalar, for what `embed` returned.

        For each example the squared norms of its user's and its item's embeddings, averaged over
        the examples; for each dense layer the squared norm of its weights.
        """
        terms = [tf.constant(0.0)]
        mf_rate = self._config.mf_regularization
        if self._factors and mf_rate:
            terms += [mf_rate * _mean_square_norm(x.gmf) for x in (users, items)]
        if self.kernels and self._config.mlp_regularization:
            first, *others = self._config.mlp_regularization
            if first:
                terms += [first * _mean_square_norm(x.mlp) for x in (users, items)]
            terms += [
                rate * tf.reduce_sum(tf.square(kernel))
                for rate, kernel in zip(others, self.kernels, strict=True)
                if rate
            ]
        return tf.add_n(terms)

    def _lookup(self, table: tf.Variable, rows: tf.Tensor) -> Embedded:
        embedded = tf.gather(table, rows)
        if not self._factors:
            return Embedded(None, embedded)
        if not self.kernels:
            return Embedded(embedded, None)
        # Split, not sliced: the gradient of a slice is a padded copy of the whole.
        return Embedded(*tf.split(embedded, [self._factors, -1], axis=-1))

    def _mlp(self, users: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Returns the last hidden layer, [batch * items, width of the last layer]."""
        kernels = [tf.cast(kernel, self._compute) for kernel in self.kernels]
        biases = [tf.cast(bias, self._compute) for bias in self.biases]
        user_kernel, item_kernel = tf.split(kernels[0], 2)
        user_part = tf.matmul(users, user_kernel) + biases[0]
        item_part = tf.matmul(tf.reshape(items, [-1, items.shape[-1]]), item_kernel)
        outputs = kernels[0].shape[-1]
        hidden = tf.reshape(item_part, [-1, tf.shape(items)[1], outputs])
        hidden = tf.reshape(tf.nn.relu(user_part[:, tf.newaxis] + hidden), [-1, outputs])
        for kernel, bias in zip(kernels[1:], biases[1:], strict=True):
            hidden = tf.nn.relu(tf.matmul(hidden, kernel) + bias)
        return hidden


def _products(users: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
    """Returns the dot products [batch, items] of users [batch, width] with each item's vector."""
    if items.shape[0] == 1:
        # One matrix product is many times faster than a matrix by a vector for every user.
        return tf.matmul(users, items[0], transpose_b=True)
    return tf.linalg.matvec(items, users)


def _mean_square_norm(embedded: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.reduce_sum(tf.square(embedded), axis=-1))
