import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.sequence.sasrec import SasRec

ITEMS, LENGTH = 20, 8
SEED = tf.constant([0, 1], tf.int32)


@pytest.fixture
def model():
    config = NcfTrainerConfig(
        model_type="sasrec", num_factors=8, heads=2, max_length=LENGTH, batch_size=LENGTH
    )
    model = SasRec(config, ITEMS)
    model(tf.zeros([1, 2], tf.int32), tf.zeros([1, 2], tf.int32))
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.3)
    return model


def test_an_item_changes_nothing_before_it(model):
    items = tf.random.stateless_uniform([1, LENGTH], SEED, 0, ITEMS, tf.int32).numpy()
    places = np.arange(LENGTH)[np.newaxis]
    before = model(items, places).numpy()
    for at in range(LENGTH):
        changed = items.copy()
        changed[0, at] = (changed[0, at] + 1) % ITEMS
        after = model(changed, places).numpy()
        np.testing.assert_array_equal(after[0, :at], before[0, :at])
        assert np.abs(after[0, at:] - before[0, at:]).max(axis=1).min() > 1e-6


def test_pieces_in_a_row_do_not_see_each_other(model):
    items = np.array([[1, 2, 3, 4, 5, 6, 7, 8]])
    together = model(items, np.array([[0, 1, 2, 0, 1, 0, 1, -1]])).numpy()
    for begin, end in ((0, 3), (3, 5), (5, 7)):
        alone = model(items[:, begin:end], np.arange(end - begin)[np.newaxis]).numpy()
        np.testing.assert_allclose(together[:, begin:end], alone, atol=1e-5)


def test_an_output_depends_on_how_far_back_an_item_is(model):
    one, other = model(np.array([[1, 2, 3], [2, 1, 3]]), np.array([[0, 1, 2]] * 2)).numpy()
    assert np.abs(one[2] - other[2]).max() > 1e-3


def test_all_items_sampled_are_the_loss_over_all(model):
    expected = tf.random.stateless_normal([400, 8], SEED)
    targets = tf.random.stateless_uniform([400], SEED, 0, ITEMS, tf.int32)
    whole = model.losses_of(expected, targets, 0, SEED)
    manual = tf.nn.sparse_softmax_cross_entropy_with_logits(
        targets, expected @ tf.transpose(model.item_table[:-1]) + model.item_bias
    )
    np.testing.assert_allclose(whole, manual, rtol=1e-5)
    many = [
        tf.reduce_mean(model.losses_of(expected, targets, 2000, tf.constant([0, i])))
        for i in range(5)
    ]
    assert np.mean(many) == pytest.approx(float(tf.reduce_mean(whole)), rel=0.02)


def test_dropout_is_decided_by_the_seed_and_is_for_training_alone(model):
    items, places = np.array([[1, 2, 3]]), np.array([[0, 1, 2]])
    one, same, other = (model(items, places, tf.constant([0, seed])).numpy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3
    np.testing.assert_array_equal(model(items, places), model(items, places))
