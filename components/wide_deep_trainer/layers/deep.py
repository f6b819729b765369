"""The network half of Wide & Deep: a multilayer perceptron, or an ensemble of them in one."""

from collections.abc import Sequence

import tensorflow as tf
import tf_keras as keras


class Deep(keras.layers.Layer):
    """Hidden layers with dropout, and a linear output.

    With several members it is an ensemble with shared weight matrices, BatchEnsemble (Wen et
    al., arXiv:2002.06715), trained as TabM is (Gorishniy et al., arXiv:2410.24210): each member
    has its own output and loss, and their probabilities are averaged.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        hidden_units: Sequence[int],
        *,
        members: int,
        dropout: float,
        mixed_precision: bool,
        activation: str = "relu",
    ):
        """Creates the layer.

        Args:
            encoder: Turns features into the network's input, float32 [batch, width].
            hidden_units: Widths of the hidden layers.
            members: Networks in the ensemble; 1 is a plain network.
            dropout: Share of the units of each hidden layer that a training step drops.
            mixed_precision: Whether to multiply in bfloat16.
            activation: Of the hidden layers.
        """
        super().__init__(name="deep")
        self._dropout = dropout
        dtype = "mixed_bfloat16" if mixed_precision else "float32"
        self.encoder = encoder
        self.hidden = [
            _MemberDense(
                units,
                members,
                activation=activation,
                scale_inputs=i == 0,
                name=f"hidden_{i}",
                dtype=dtype,
            )
            for i, units in enumerate(hidden_units)
        ]
        self.output_layer = _MemberOutput(members, name="output")

    def call(
        self, features: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Returns the logits, float32 [batch, members].

        Args:
            features: What the encoder takes.
            dropout_seed: int32[2] that determines what is dropped; None drops nothing.
        """
        hidden = self.encoder(features)[:, tf.newaxis]
        for i, layer in enumerate(self.hidden):
            hidden = layer(hidden)
            if dropout_seed is not None and self._dropout:
                seed = tf.random.experimental.stateless_fold_in(dropout_seed, i)
                hidden = tf.nn.experimental.stateless_dropout(hidden, self._dropout, seed)
        return self.output_layer(hidden)


class _MemberDense(keras.layers.Layer):
    """A dense layer, [batch, 1 or members, inputs] to [batch, members, units].

    Members share the kernel; each has its bias and, if there are several, scales the kernel's
    inputs and outputs. The input scales of the first layer start as random signs, which is what
    tells the members apart; all others start as 1.
    """

    def __init__(
        self, units: int, members: int, *, activation: str, scale_inputs: bool, **kwargs: object
    ):
        super().__init__(**kwargs)
        self._units, self._members, self._random_signs = units, members, scale_inputs
        self._activation = keras.activations.get(activation)

    def build(self, shape: tf.TensorShape) -> None:
        members, inputs, units = self._members, shape[-1], self._units
        self.kernel = self.add_weight("kernel", [inputs, units], initializer="glorot_uniform")
        self.bias = self.add_weight("bias", [members, units], initializer="zeros")
        if members > 1:
            signs = _random_signs if self._random_signs else "ones"
            self.input_scale = self.add_weight("input_scale", [members, inputs], initializer=signs)
            self.output_scale = self.add_weight(
                "output_scale", [members, units], initializer="ones"
            )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        if self._members > 1:
            inputs = inputs * self.input_scale
        flat = tf.matmul(tf.reshape(inputs, [-1, inputs.shape[-1]]), self.kernel)
        outputs = tf.reshape(flat, [-1, self._members, self._units])
        if self._members > 1:
            outputs = outputs * self.output_scale
        return self._activation(outputs + self.bias)


class _MemberOutput(keras.layers.Layer):
    """A linear unit for each member, [batch, members, inputs] to [batch, members]."""

    def __init__(self, members: int, **kwargs: object):
        super().__init__(**kwargs)
        self._members = members

    def build(self, shape: tf.TensorShape) -> None:
        uniform = keras.initializers.RandomUniform(-(shape[-1] ** -0.5), shape[-1] ** -0.5)
        self.kernel = self.add_weight("kernel", [self._members, shape[-1]], initializer=uniform)
        self.bias = self.add_weight("bias", [self._members], initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(inputs * self.kernel, axis=-1) + self.bias


def _random_signs(shape: Sequence[int], dtype: tf.DType) -> tf.Tensor:
    uniform = keras.initializers.RandomUniform(-1.0, 1.0)
    return tf.sign(uniform(shape, dtype))
