import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from components.wide_deep_trainer.layers.deep import Deep

WIDTH, MEMBERS, UNITS = 5, 3, (4, 2)


@pytest.fixture
def deep():
    """Three networks over what they are given, with random weights."""
    network = Deep(
        keras.layers.Activation("linear"),
        UNITS,
        members=MEMBERS,
        dropout=0.5,
        mixed_precision=False,
        activation="sigmoid",
    )
    network(tf.zeros([1, WIDTH]))
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return network


def test_each_member_is_a_network_of_its_own_over_shared_kernels(deep):
    inputs = np.random.default_rng(1).normal(size=(6, WIDTH))
    outputs = deep(tf.constant(inputs, tf.float32)).numpy()
    assert outputs.shape == (6, MEMBERS)
    for member in range(MEMBERS):
        hidden = inputs
        for layer in deep.hidden:
            kernel, bias, before, after = (
                weight.numpy()
                for weight in (layer.kernel, layer.bias, layer.input_scale, layer.output_scale)
            )
            hidden = (hidden * before[member]) @ kernel * after[member] + bias[member]
            hidden = 1 / (1 + np.exp(-hidden))
        last = deep.output_layer
        expected = hidden @ last.kernel.numpy()[member] + last.bias.numpy()[member]
        np.testing.assert_allclose(outputs[:, member], expected, rtol=1e-4, atol=1e-5)


def test_members_begin_apart_and_are_dropped_out_by_seed(deep):
    fresh = Deep(
        keras.layers.Activation("linear"), UNITS, members=2, dropout=0.5, mixed_precision=False
    )
    # So wide that signs which are drawn for each differ somewhere.
    fresh(tf.zeros([1, 100]))
    signs = fresh.hidden[0].input_scale.numpy()
    assert {*signs.ravel()} == {-1.0, 1.0} and (signs[0] != signs[1]).any()
    assert (fresh.hidden[1].input_scale.numpy() == 1).all()
    inputs = tf.ones([4, WIDTH])
    one, same, other = (deep(inputs, dropout_seed=tf.constant([0, s])).numpy() for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3
