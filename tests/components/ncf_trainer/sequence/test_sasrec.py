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


def plain(model, items):
    """The network over a single history, for which all items are a piece."""

    def normal(values, norm):
        centred = values - values.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(values.var(axis=-1, keepdims=True) + 1e-6)
        return scaled * norm.gamma.numpy() + norm.beta.numpy()

    def dense(values, layer):
        return values @ layer.kernel.numpy() + layer.bias.numpy()

    length, width = len(items), model.item_table.shape[1]
    hidden = np.sqrt(width) * model.item_table.numpy()[items]
    for block in model.blocks:
        size = width // 2
        query, key, value = np.split(
            dense(normal(hidden, block.attention_norm), block.projections), 3, -1
        )
        joined = np.zeros_like(hidden)
        for head in range(2):
            of = slice(head * size, (head + 1) * size)
            for at in range(length):
                back = at - np.arange(at + 1)
                weights = key[: at + 1, of] @ query[at, of] / np.sqrt(size)
                weights += block.distance_bias.numpy()[head, np.minimum(back, LENGTH - 1)]
                weights = np.exp(weights - weights.max())
                joined[at, of] = weights @ value[: at + 1, of] / weights.sum()
        hidden = hidden + dense(joined, block.attended)
        widened = tf.nn.gelu(dense(normal(hidden, block.network_norm), block.widened)).numpy()
        hidden = hidden + dense(widened, block.narrowed)
    return normal(hidden, model.norm)


def test_an_output_is_that_of_a_plain_network_however_long_the_history(model):
    # Longer than any in training: what lies further back counts as at the longest distance.
    items = np.random.default_rng(1).integers(0, ITEMS, LENGTH + 3)
    (found,) = model(items[np.newaxis], np.arange(len(items))[np.newaxis]).numpy()
    expected = plain(model, items)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    scores = expected[-1] @ model.item_table.numpy()[:-1].T + model.item_bias.numpy()
    (last,) = model.last_logits(items[np.newaxis], np.arange(len(items))[np.newaxis]).numpy()
    np.testing.assert_allclose(last, scores, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("mixed_precision", [False, True])
def test_a_network_is_built_as_wide_and_deep_as_it_is_set(mixed_precision):
    config = NcfTrainerConfig(
        model_type="sasrec",
        num_factors=32,
        blocks=3,
        max_length=5,
        mixed_precision=mixed_precision,
    )
    fresh = SasRec(config, 200)
    fresh(tf.zeros([1, 2], tf.int32), tf.zeros([1, 2], tf.int32))
    assert fresh.item_table.shape == (201, 32) and len(fresh.blocks) == 3
    assert np.std(fresh.item_table) == pytest.approx(0.02, rel=0.05)
    assert not fresh.item_bias.numpy().any()
    for block in fresh.blocks:
        assert block.compute_dtype == ("bfloat16" if mixed_precision else "float32")
        assert block.widened.kernel.shape == (32, 64) and block.distance_bias.shape == (2, 5)
        assert not block.distance_bias.numpy().any()
    # Each kernel is drawn for itself.
    kernels = [block.attended.kernel for block in fresh.blocks]
    kernels += [fresh.blocks[0].projections.kernel[:, :32]]
    sums = {round(float(tf.reduce_sum(kernel)), 6) for kernel in kernels}
    assert len(sums) == 4
    assert {variable.dtype for variable in fresh.trainable_variables} == {tf.float32}


def test_a_share_of_what_each_part_adds_is_dropped_and_drawn_for_itself(model, monkeypatch):
    drawn = []
    stateless_dropout = tf.nn.experimental.stateless_dropout

    def dropout(values, rate, seed):
        drawn.append((rate, *seed.numpy().tolist()))
        return stateless_dropout(values, rate, seed)

    monkeypatch.setattr(tf.nn.experimental, "stateless_dropout", dropout)
    items, places = np.array([[1, 2, 3]]), np.array([[0, 1, 2]])
    model(items, places)
    assert not drawn
    model(items, places, SEED)
    # The embeddings, and of each of two blocks the attention, what it found, and the network.
    assert len(drawn) == len(set(drawn)) == 1 + 2 * 3
    assert {rate for rate, *_ in drawn} == {0.2}
