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


def test_a_fresh_network_has_even_signs_no_biases_and_outputs_of_the_order_of_one():
    keras.utils.set_random_seed(0)
    fresh = Deep(
        keras.layers.Activation("linear"), [400, 25], members=4, dropout=0.0, mixed_precision=False
    )
    fresh(tf.zeros([1, 100]))
    assert abs(fresh.hidden[0].input_scale.numpy().mean()) < 0.2
    for layer in (*fresh.hidden, fresh.output_layer):
        assert not layer.bias.numpy().any()
    for layer in fresh.hidden:
        assert (layer.output_scale.numpy() == 1).all()
    kernel = fresh.output_layer.kernel.numpy()
    # Uniform between plus and minus 1 over the root of the 25 inputs.
    assert -0.2 <= kernel.min() < -0.18 and 0.18 < kernel.max() <= 0.2


def test_a_plain_network_has_no_scales():
    plain = Deep(
        keras.layers.Activation("linear"), [3], members=1, dropout=0.0, mixed_precision=False
    )
    assert plain(tf.ones([2, WIDTH])).shape == (2, 1)
    names = [variable.name.split("/")[-1] for variable in plain.trainable_variables]
    assert names == ["kernel:0", "bias:0"] * 2


@pytest.mark.parametrize(("rate", "kept"), [(0.0, 1.0), (0.25, 0.75), (0.75, 0.25)])
def test_a_share_of_the_units_of_each_layer_is_dropped_in_training_alone(rate, kept):
    wide = Deep(
        keras.layers.Activation("linear"),
        [300, 300],
        members=1,
        dropout=rate,
        mixed_precision=False,
    )
    seen = []
    wide.output_layer = lambda hidden: seen.append(hidden.numpy()) or hidden
    for layer in wide.hidden:
        layer.call = lambda inputs: seen.append(inputs.numpy()) or tf.ones_like(inputs)
    inputs = tf.ones([4, 300])
    wide(inputs)
    assert all((values == 1).all() for values in seen)
    seen.clear()
    wide(inputs, dropout_seed=tf.constant([1, 2]))
    given, first, second = seen
    assert (given == 1).all()
    for values in (first, second):
        assert np.mean(values != 0) == pytest.approx(kept, abs=0.05)
        np.testing.assert_allclose(values[values != 0], 1 / kept, rtol=1e-6)
    # Each layer draws for itself.
    assert rate == 0 or ((first != 0) != (second != 0)).any()


def test_half_precision_is_of_the_products_alone():
    half = Deep(
        keras.layers.Activation("linear"), UNITS, members=2, dropout=0.0, mixed_precision=True
    )
    assert half(tf.ones([2, WIDTH])).dtype == tf.float32
    assert {layer.compute_dtype for layer in half.hidden} == {"bfloat16"}
    assert {variable.dtype for variable in half.trainable_variables} == {tf.float32}
