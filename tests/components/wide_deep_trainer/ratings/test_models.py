from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from components.wide_deep_trainer.ratings.config import RatingTrainerConfig
from components.wide_deep_trainer.ratings.factors import RatingFactors
from components.wide_deep_trainer.ratings.fit import RatingFit
from components.wide_deep_trainer.ratings.genres import genre_vectors
from components.wide_deep_trainer.ratings.memory import RatingMemory
from components.wide_deep_trainer.ratings.network import RatingNetwork
from transforms.base.errors import UserError

USERS, ITEMS = 3, 5


def columns(*rows, rating=3.0):
    """Rows of (user, item, timestamp)."""
    users, items, times = np.array(rows, np.int64).T
    return {
        "user_row": users,
        "item_row": items,
        "timestamp": times,
        "scaled_time": np.zeros(len(rows), np.float32),
        "genre_mask": np.zeros(len(rows), np.int64),
        "rating": np.full(len(rows), rating, np.float32),
    }


def tensors(*rows):
    return {name: tf.constant(column) for name, column in columns(*rows).items()}


TRAIN = columns((1, 0, 100), (0, 0, 50), (0, 1, 40), (0, 2, 60), (0, 3, 10), (2, 4, 0))


def test_memory_finds_a_users_ratings_around_a_moment():
    near = RatingMemory(TRAIN, 4)(tensors((0, 4, 55)))
    assert near.items[near.present].numpy().tolist() == [1, 0, 2]
    assert near.seconds[near.present].numpy().tolist() == [15, 5, 5]


@pytest.mark.parametrize("time", [0, 50, 10**6, 1 << 40])
def test_memory_never_tells_the_rating_in_question(time):
    near = RatingMemory(TRAIN, 8)(tensors((0, 0, time)))
    assert near.items[near.present].numpy().tolist() == [3, 1, 2]


def test_memory_of_a_user_without_ratings_is_empty():
    near = RatingMemory(TRAIN, 8)(tensors((USERS, 0, 50)))
    assert not near.present.numpy().any()


@pytest.mark.parametrize("model_type", ["deep", "factors"])
def test_the_seed_decides_what_a_model_starts_from(model_type):
    def scores(seed):
        config = RatingTrainerConfig(model_type=model_type, batch_size=2, seed=seed)
        vocabularies = SimpleNamespace(vocabulary_size_by_name=lambda name: ITEMS)
        strategy = tf.distribute.OneDeviceStrategy("CPU:0")
        fit = RatingFit(config, strategy, vocabularies, TRAIN, TRAIN)
        return fit.model.members(tensors((0, 4, 55)), *tf.constant([[0], [4]], tf.int64), None)[0]

    first, again, other = scores(3), scores(3), scores(4)
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)


def test_genre_vectors_unpack_each_bit():
    vectors = genre_vectors(tf.constant([0, 0b101, 1 << 18], tf.int64)).numpy()
    assert [np.flatnonzero(v).tolist() for v in vectors] == [[], [0, 2], [18]]


def test_network_caps_the_norm_of_embeddings():
    model = RatingNetwork(
        RatingTrainerConfig(user_embedding_size=4, item_embedding_size=9), TRAIN, USERS, ITEMS
    )
    row = tensors((0, 0, 0))
    encoder = model.deep.encoder
    encoder(row)
    encoder.user_table.assign(tf.fill([USERS, 4], 100.0))
    encoder.item_table.assign(tf.fill([ITEMS, 9], 0.5))
    encoded = encoder(row)[0]
    np.testing.assert_allclose(tf.norm(encoded[:4]), 2.0, rtol=1e-6)
    np.testing.assert_allclose(encoded[4:13], 0.5)


@pytest.mark.parametrize("build", [RatingNetwork, RatingFactors])
def test_a_prediction_is_the_members_mean_within_the_scale_of_ratings(build):
    model = build(RatingTrainerConfig(), TRAIN, USERS, ITEMS)
    stars = tf.constant([[-3.0, 1.0], [9.0, 4.0], [3.0, 4.0]])
    model.members = lambda *args: (stars, None)
    assert model(tensors((0, 4, 55))).numpy().tolist() == [0.5, 5.0, 3.5]


def test_a_session_above_expectation_raises_a_prediction_in_it():
    train = {**TRAIN, "rating": np.array([3, 5, 5, 5, 5, 3], np.float32)}
    model = RatingFactors(RatingTrainerConfig(), train, USERS + 1, ITEMS + 1)
    model.user_factors.assign(tf.zeros_like(model.user_factors))
    inside, long_after, unknown = model(
        tensors((0, 4, 55), (0, 4, 1 << 31), (USERS, 4, 55))
    ).numpy()
    assert inside > long_after > unknown - 1e-6
    np.testing.assert_allclose(unknown, np.mean(train["rating"]), rtol=1e-6)

    row = tensors((0, 4, 55))
    replaced, _ = model.members(row, tf.constant([USERS], tf.int64), row["item_row"], None)
    np.testing.assert_allclose(replaced, np.mean(train["rating"]), rtol=1e-6)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"model_type": "factor"}, "did you mean factors"),
        ({"neighbours": 3}, "neighbours=3: must be an even number"),
        ({"mixed_precision": True, "model_type": "factors"}, "mixed_precision=True"),
        ({"hidden_units": ()}, "hidden_units"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(UserError, match=message):
        RatingTrainerConfig(**setting)
