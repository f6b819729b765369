import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.model import NcfModel

USERS, ITEMS = 7, 11


def build(**settings):
    model = NcfModel(NcfTrainerConfig(**settings), USERS, ITEMS)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return model


def plain(model, config, user, item):
    """The paper's NeuMF, for one user and one item, on concatenated embeddings."""
    user, item = model.user_table[user].numpy(), model.item_table[item].numpy()
    factors = config.num_factors if config.model_type != "mlp" else 0
    hidden = np.concatenate([user[factors:], item[factors:]])
    for kernel, bias in zip(model.kernels, model.biases, strict=True):
        hidden = np.maximum(hidden @ kernel.numpy() + bias.numpy(), 0)
    last = np.concatenate([user[:factors] * item[:factors], hidden])
    return last @ model.output_kernel.numpy()[:, 0] + model.output_bias.numpy()[0]


@pytest.mark.parametrize("model_type", ["neumf", "gmf", "mlp"])
def test_scores_are_those_of_a_plain_network(model_type):
    config = NcfTrainerConfig(model_type=model_type)
    model = build(model_type=model_type)
    users = np.array([0, 6, 3])
    items = np.array([[0, 10], [4, 4], [9, 1]])
    expected = [
        [plain(model, config, user, item) for item in row]
        for user, row in zip(users, items, strict=True)
    ]
    scores = model(tf.constant(users), tf.constant(items))
    assert scores.dtype == tf.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)


def test_the_same_seed_gives_the_same_weights():
    first, second, other = (
        NcfModel(NcfTrainerConfig(seed=seed), USERS, ITEMS) for seed in (1, 1, 2)
    )
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first.user_table.numpy() != other.user_table.numpy()).any()


@pytest.mark.parametrize(
    ("model_type", "width", "kernels"),
    [("neumf", 8 + 32, 3), ("gmf", 8, 0), ("mlp", 32, 3)],
)
def test_a_model_begins_with_small_embeddings_and_without_biases(model_type, width, kernels):
    model = NcfModel(NcfTrainerConfig(model_type=model_type), 400, 300)
    for table, rows in ((model.user_table, 400), (model.item_table, 300)):
        assert table.shape == (rows, width)
        assert np.std(table) == pytest.approx(0.01, rel=0.1)
    assert len(model.kernels) == len(model.biases) == kernels
    for bias in (*model.biases, model.output_bias):
        assert not bias.numpy().any()
    seen = {
        round(float(tf.reduce_sum(kernel)), 6) for kernel in (*model.kernels, model.output_kernel)
    }
    assert len(seen) == kernels + 1


def test_a_list_that_all_users_share_is_scored_as_each_users_own():
    model = build()
    users = tf.constant([0, 6, 3])
    shared = model(users, tf.constant([[0, 10, 4]]))
    np.testing.assert_allclose(shared, model(users, tf.constant([[0, 10, 4]] * 3)), rtol=1e-4)
    np.testing.assert_allclose(model.all_scores(users), model(users, tf.range(ITEMS)[tf.newaxis]))
    np.testing.assert_array_equal(model.item_vectors(), model.item_table[:-1])


def test_tables_of_one_model_start_apart():
    model = NcfModel(NcfTrainerConfig(), USERS, USERS)
    assert (model.user_table.numpy() != model.item_table.numpy()).any()


def test_unknown_ids_are_the_average_of_the_known_ones():
    model = build()
    model.average_unknown()
    for table in (model.user_table.numpy(), model.item_table.numpy()):
        np.testing.assert_allclose(table[-1], table[:-1].mean(axis=0), rtol=1e-5)


def test_mixed_precision_stays_near_and_returns_float32():
    exact = build()
    mixed = build(mixed_precision=True)
    users, items = tf.constant([1, 2]), tf.constant([[1, 2], [3, 4]])
    assert mixed(users, items).dtype == tf.float32
    np.testing.assert_allclose(mixed(users, items), exact(users, items), rtol=0.1, atol=1.0)


def test_penalty_is_the_mean_square_norm_of_embeddings_plus_that_of_kernels():
    model = build(
        layers=(4, 2), num_factors=3, mf_regularization=0.5, mlp_regularization=(0.25, 2.0)
    )
    users, items = model.embed(tf.constant([1, 2]), tf.constant([[1, 2, 3], [4, 5, 6]]))

    def norm(x):
        return (x**2).sum(-1).mean()

    expected = (
        0.5 * (norm(users.gmf.numpy()) + norm(items.gmf.numpy()))
        + 0.25 * (norm(users.mlp.numpy()) + norm(items.mlp.numpy()))
        + 2.0 * (model.kernels[0].numpy() ** 2).sum()
    )
    np.testing.assert_allclose(model.penalty(users, items), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"mf_regularization": 0.5, "model_type": "mlp"},
        {"mlp_regularization": (0.5, 0.5, 0.5, 0.5), "model_type": "gmf"},
        {"mlp_regularization": (0.0, 0.0, 0.0, 0.0)},
    ],
)
def test_what_a_model_does_not_have_or_is_not_held_against_it_costs_nothing(settings):
    model = build(**settings)
    embedded = model.embed(tf.constant([1, 2]), tf.constant([[1, 2, 3], [4, 5, 6]]))
    assert float(model.penalty(*embedded)) == 0
