from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from components.wide_deep_trainer.ratings.config import RatingTrainerConfig
from components.wide_deep_trainer.ratings.factors import RatingFactors
from components.wide_deep_trainer.ratings.fit import RatingFit
from components.wide_deep_trainer.ratings.genres import genre_cosine, genre_vectors
from components.wide_deep_trainer.ratings.memory import RatingMemory
from components.wide_deep_trainer.ratings.model import RatingModel
from components.wide_deep_trainer.ratings.network import RatingNetwork
from components.wide_deep_trainer.ratings.session import _GAIN, _TIME_SCALES, Session
from transforms.base.errors import UserError
from transforms.vectorize_genres import GENRES

USERS, ITEMS = 3, 5
FACTOR_WEIGHTS = (
    "user_factors",
    "item_factors",
    "genre_factors",
    "user_bias",
    "item_bias",
    "mean",
)


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
# Ratings that are all equal are refused where a training begins.
VARIED = {**TRAIN, "rating": np.arange(6, dtype=np.float32) / 2 + 1}


def test_memory_finds_a_users_ratings_around_a_moment():
    near = RatingMemory(TRAIN, 4, causal=False)(tensors((0, 4, 55)))
    assert near.items[near.present].numpy().tolist() == [1, 0, 2]
    assert near.seconds[near.present].numpy().tolist() == [15, 5, 5]


@pytest.mark.parametrize("time", [0, 50, 10**6, 1 << 40])
def test_memory_never_tells_the_rating_in_question(time):
    near = RatingMemory(TRAIN, 8, causal=False)(tensors((0, 0, time)))
    assert near.items[near.present].numpy().tolist() == [3, 1, 2]


def test_memory_of_a_user_without_ratings_is_empty():
    near = RatingMemory(TRAIN, 8, causal=False)(tensors((USERS, 0, 50)))
    assert not near.present.numpy().any()


@pytest.mark.parametrize("model_type", ["deep", "factors"])
def test_the_seed_decides_what_a_model_starts_from(model_type):
    def scores(seed):
        config = RatingTrainerConfig(model_type=model_type, batch_size=2, seed=seed)
        vocabularies = SimpleNamespace(vocabulary_size_by_name=lambda name: ITEMS)
        strategy = tf.distribute.OneDeviceStrategy("CPU:0")
        fit = RatingFit(config, strategy, vocabularies, VARIED, TRAIN)
        return fit.model.members(tensors((0, 4, 55)), *tf.constant([[0], [4]], tf.int64), None)[0]

    first, again, other = scores(3), scores(3), scores(4)
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)


def test_genre_vectors_unpack_each_bit():
    vectors = genre_vectors(tf.constant([0, 0b101, 1 << 18], tf.int64)).numpy()
    assert [np.flatnonzero(v).tolist() for v in vectors] == [[], [0, 2], [18]]


def test_the_cosine_of_genres_is_that_of_their_vectors():
    masks = np.array([0, 0b1, 0b110, 0b111, (1 << len(GENRES)) - 1])
    vectors = (masks[:, np.newaxis] >> np.arange(len(GENRES))) & 1
    lengths = np.sqrt(np.maximum(vectors.sum(axis=1), 1))
    wanted = vectors @ vectors.T / np.outer(lengths, lengths)
    found = genre_cosine(tf.constant(masks[:, np.newaxis]), tf.constant(masks[np.newaxis]))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


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
    for factors in (model.user_factors, model.user_sets.to_factors):
        factors.assign(tf.zeros_like(factors))
    inside, long_after, unknown = model(
        tensors((0, 4, 55), (0, 4, 1 << 31), (USERS, 4, 55))
    ).numpy()
    assert inside > long_after > unknown - 1e-6
    np.testing.assert_allclose(unknown, np.mean(train["rating"]), rtol=1e-6)

    row = tensors((0, 4, 55))
    replaced, _ = model.members(row, tf.constant([USERS], tf.int64), row["item_row"], None)
    np.testing.assert_allclose(replaced, np.mean(train["rating"]), rtol=1e-6)


def test_defaults_are_those_of_2018():
    config = RatingTrainerConfig()
    assert (config.train_epochs, config.epochs_between_evals, config.batch_size) == (50, 5, 256)
    assert (config.model_type, config.learning_rate, config.dropout) == ("deep", 0.001, 0.3)
    assert (config.user_embedding_size, config.item_embedding_size) == (16, 64)
    assert config.hidden_units == (256, 256, 256, 128)
    assert (config.ensemble_size, config.schedule) == (1, "constant")


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


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("learning_rate", 1e-9),
        ("user_embedding_size", 1),
        ("item_embedding_size", 1),
        ("hidden_units", (1,)),
        ("dropout", 0.0),
        ("num_factors", 1),
        ("ensemble_size", 1),
        ("factor_regularization", 0.0),
        ("bias_regularization", 0.0),
        ("neighbours", 0),
        ("implicit_width", 1),
        ("implicit_regularization", 0.0),
    ],
)
def test_the_least_of_a_setting_is_allowed_and_nothing_below_it(setting, value):
    assert getattr(RatingTrainerConfig(**{setting: value}), setting) == value
    below = (0,) if setting == "hidden_units" else value - 1
    with pytest.raises(UserError, match=f"^{setting}="):
        RatingTrainerConfig(**{setting: below})


def test_memory_returns_half_of_the_neighbours_from_before_and_half_from_after():
    # At seconds 0, 10, ..., 90, in an order that is not that of time.
    order = np.random.default_rng(0).permutation(10)
    train = columns(*((0, item, 10 * item) for item in order.tolist()))
    near = RatingMemory(train, 4, causal=False)(tensors((0, 99, 45), (0, 99, 0), (0, 99, 200)))
    found = [
        items[present].tolist()
        for items, present in zip(near.items.numpy(), near.present.numpy(), strict=True)
    ]
    assert found == [[3, 4, 5, 6], [0, 1], [8, 9]]
    assert near.seconds[0].numpy().tolist() == [15, 5, 5, 15]


def test_causal_memory_returns_neighbours_of_earlier_seconds_alone():
    train = columns(*((0, item, 10 * item) for item in range(10)))
    near = RatingMemory(train, 4, causal=True)(tensors((0, 99, 50), (0, 99, 15), (0, 99, 200)))
    found = [
        items[present].tolist()
        for items, present in zip(near.items.numpy(), near.present.numpy(), strict=True)
    ]
    assert found == [[1, 2, 3, 4], [0, 1], [6, 7, 8, 9]]


def test_memory_that_tells_nothing_holds_nothing():
    memory = RatingMemory(TRAIN, 0, causal=False)
    assert memory(tensors((0, 0, 50), (1, 0, 7))).items.shape == (2, 0)
    assert not any(weight.shape.num_elements() for weight in memory.weights)


def factor_model(train, **settings):
    """A factor model with weights of which none is 0."""
    config = RatingTrainerConfig(model_type="factors", num_factors=3, **settings)
    keras.utils.set_random_seed(0)
    model = RatingFactors(config, train, USERS + 1, ITEMS + 1)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.3, variable.shape))
    return model


@pytest.mark.parametrize(("causal", "moved"), [(True, False), (False, True)])
def test_only_a_causal_model_does_without_what_came_later(causal, moved):
    # The second differs in what the same user does after second 50, and others at any time.
    past = [(0, 0, 10), (0, 1, 20), (1, 0, 30)]
    before, after = (
        columns(*past, *later)
        for later in ([(0, 2, 60), (1, 1, 70)], [(0, 3, 60), (0, 4, 51), (2, 1, 40)])
    )
    asked = tensors((0, 4, 50))
    stars = []
    for train in (before, after):
        model = factor_model(train, causal=causal, neighbours=4, implicit_width=2)
        # What is learned is of all there was to learn from: the same here.
        model.mean.assign([3.0])
        stars.append(model(asked).numpy())
    assert (stars[0] != stars[1]).any() == moved


def test_without_neighbours_no_time_counts():
    model = factor_model(VARIED, neighbours=0, implicit_width=2)
    early, late = (model(tensors((0, 4, time))).numpy() for time in (0, 10**6))
    np.testing.assert_array_equal(early, late)


def test_memory_keeps_the_ratings_beside_their_items_and_apart_from_other_users():
    rows = [(user, item, 10 * item) for user in (2, 0, 1) for item in (1, 0)]
    train = columns(*rows)
    train["rating"] = np.array([10 * user + item for user, item, _ in rows], np.float32)
    near = RatingMemory(train, 8, causal=False)(tensors((1, 7, 5)))
    kept = near.present.numpy()[0]
    assert near.items.numpy()[0][kept].tolist() == [0, 1]
    assert near.ratings.numpy()[0][kept].tolist() == [10, 11]


def test_a_session_is_a_mean_of_surprises_by_nearness_and_likeness():
    rng = np.random.default_rng(0)
    rows, others, members = 3, 4, 2
    session = Session(members)
    # Each member learns its own.
    assert [weight.shape[-1:] for weight in session.weights] == [[members]] * 4
    weights = {
        name: rng.normal(0, 0.1, getattr(session, name).shape)
        for name in ("heights", "likeness", "prior", "share")
    }
    for name, values in weights.items():
        getattr(session, name).assign(values)
    surprise = rng.normal(size=(rows, others, members)).astype(np.float32)
    seconds = rng.exponential(100.0, (rows, others)).astype(np.float32)
    likeness = rng.random((rows, others)).astype(np.float32)
    present = rng.random((rows, others)) < 0.7
    added = session(*map(tf.constant, (surprise, seconds, likeness, present)))
    falls = np.exp(-seconds[..., np.newaxis] / np.array(_TIME_SCALES))
    grows = np.exp(_GAIN * weights["likeness"] * likeness[..., np.newaxis])
    weight = present[..., np.newaxis] * (falls @ np.exp(_GAIN * weights["heights"])) * grows
    total = weight.sum(axis=1) + np.exp(_GAIN * weights["prior"])
    expected = np.exp(_GAIN * weights["share"]) * (weight * surprise).sum(axis=1) / total
    np.testing.assert_allclose(added, expected, rtol=1e-4)


def test_each_height_is_what_ratings_count_up_to_a_time_from_seconds_to_a_month():
    times = (2.0, 8.0, 30.0, 120.0, 600.0, 3600.0, 86_400.0, 2_600_000.0)
    one = tf.ones((1, 1))
    for at, seconds in enumerate(times):
        session = Session(1)
        alone = np.where(np.arange(len(times)) == at, 0.0, -100.0)
        session.heights.assign(alone[:, np.newaxis])
        added = session(one[..., tf.newaxis], seconds * one, 0 * one, one > 0)
        # A weight that has fallen to 1 / e, beside that of no surprise.
        np.testing.assert_allclose(added, 1 / (1 + np.e), rtol=1e-5)


def test_what_was_rated_seconds_ago_says_most_and_what_was_a_month_ago_something():
    session = Session(1)
    seconds = np.array(
        [0, 2, 60, 3600, 4 * 3600, 86_400, 30 * 86_400, 10 * 365 * 86_400], np.float32
    )
    one, ones = np.ones((len(seconds), 1), np.float32), np.ones((len(seconds), 1, 1), np.float32)
    present = np.ones((len(seconds), 1), bool)
    added = session(*map(tf.constant, (ones, seconds[:, np.newaxis], 0 * one, present)))[:, 0]
    assert (np.diff(added) < -0.02).all() and added[-1] < 1e-6 < 0.05 < added[-2]


def test_a_session_begins_with_every_time_alike_and_below_the_weight_of_no_surprise():
    session = Session(2)
    heights = np.exp(_GAIN * session.heights.numpy())
    np.testing.assert_allclose(heights, np.exp(-1.0), rtol=1e-6)
    for weight in (session.likeness, session.prior, session.share):
        assert not weight.numpy().any()


@pytest.fixture
def factors():
    """A factor model with random weights, and ratings of movies with genres."""
    rows = ((0, 0, 100), (0, 1, 110), (1, 1, 50), (1, 2, 70), (1, 4, 90), (2, 3, 5))
    train = columns(*rows)
    train["genre_mask"] = np.array([0b11, 0b110, 0b110, 0, 0b1, 0b1001])
    train["rating"] = np.array([1, 2, 3, 4, 5, 2], np.float32)
    config = RatingTrainerConfig(
        model_type="factors",
        num_factors=3,
        ensemble_size=2,
        factor_regularization=0.5,
        bias_regularization=0.25,
        neighbours=4,
        implicit_width=2,
        implicit_regularization=0.125,
    )
    model = RatingFactors(config, train, USERS + 1, ITEMS + 1)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.3, variable.shape))
    return model, train


def test_stars_by_factors_are_the_sum_of_their_parts_and_the_penalty_that_of_their_rows(factors):
    model, train = factors
    shown = {}
    session = model.session
    model.session = lambda *given: shown.update(given=given) or session(*given)
    columns_ = {name: tf.constant(column) for name, column in train.items()}
    users, items = train["user_row"], train["item_row"]
    stars, penalty = model.members(columns_, tf.constant(users), tf.constant(items), None)
    surprise, seconds, likeness, present = (x.numpy() for x in shown["given"])

    weight = {name: getattr(model, name).numpy() for name in FACTOR_WEIGHTS}
    bits = (train["genre_mask"][:, np.newaxis] >> np.arange(len(GENRES))) & 1
    unit = bits / np.sqrt(np.maximum(bits.sum(axis=1, keepdims=True), 1))
    of_genres = np.einsum("bg,gmf->bmf", unit, weight["genre_factors"])
    user, item = weight["user_factors"][users], weight["item_factors"][items]
    biases = weight["user_bias"][users], weight["item_bias"][items]
    sets = {
        side: {w.name.split("/")[-1].split(":")[0]: w.numpy() for w in layer.weights}
        for side, layer in (("user", model.user_sets), ("item", model.item_sets))
    }
    vectors = {"user": sets["user"]["vectors"][users], "item": sets["item"]["vectors"][items]}
    of_set = {
        side: np.einsum("bk,kmf->bmf", vectors[side], sets[side]["to_factors"]) for side in sets
    }
    set_bias = {side: vectors[side] @ sets[side]["to_bias"] for side in sets}
    product = ((user + of_set["user"]) * (item + of_genres + of_set["item"])).sum(axis=-1)
    felt = session(*map(tf.constant, (surprise, seconds, likeness, present))).numpy()
    bias = sum(biases) + set_bias["user"] + set_bias["item"]
    np.testing.assert_allclose(stars, weight["mean"] + bias + product + felt, rtol=1e-4)

    near = model.memory(columns_)
    others = near.items.numpy()
    item_biases = weight["item_bias"] + sets["item"]["vectors"] @ sets["item"]["to_bias"]
    expected = (weight["mean"] + biases[0] + set_bias["user"])[:, np.newaxis] + item_biases[others]
    np.testing.assert_allclose(
        surprise, near.ratings.numpy()[..., np.newaxis] - expected, rtol=1e-5, atol=1e-5
    )
    by_item = dict(zip(items.tolist(), unit, strict=True))
    cosines = [[unit[row] @ by_item[i] for i in of] for row, of in enumerate(others.tolist())]
    np.testing.assert_allclose(likeness, cosines, rtol=1e-5, atol=1e-6)

    def l2(factors, bias, rows):
        rarity = 1 / (1 + np.bincount(rows)[rows])
        squares = 0.5 * (factors**2).sum(axis=-1) + 0.25 * bias**2
        return rarity[:, np.newaxis] * squares

    wanted = l2(user, biases[0], users) + l2(item, biases[1], items)
    wanted += 0.125 * sum((of["to_factors"] ** 2).sum(axis=(0, 2)) for of in sets.values())
    np.testing.assert_allclose(penalty, wanted, rtol=1e-5)


def test_factors_begin_small_and_biases_with_the_mean_alone():
    keras.utils.set_random_seed(0)
    config = RatingTrainerConfig(model_type="factors", num_factors=50, ensemble_size=4)
    train = {**TRAIN, "rating": np.array([1, 1, 2, 3, 4, 4], np.float32)}
    model = RatingFactors(config, train, 30, 30)
    for table in (model.user_factors, model.item_factors, model.genre_factors):
        assert np.std(table) == pytest.approx(0.1, rel=0.05)
    np.testing.assert_allclose(model.mean, [2.5] * 4)
    assert not model.user_bias.numpy().any() and not model.item_bias.numpy().any()


def test_the_network_sees_embeddings_time_and_genres_and_tells_shares_of_five_stars():
    keras.utils.set_random_seed(0)
    model = RatingNetwork(RatingTrainerConfig(hidden_units=(3,)), TRAIN, USERS, ITEMS)
    row = {
        **tensors((1, 2, 0)),
        "scaled_time": tf.constant([0.25]),
        "genre_mask": tf.constant([0b101], tf.int64),
    }
    users, items = tf.constant([2], tf.int64), tf.constant([3], tf.int64)
    stars, penalty = model.members(row, users, items, None)
    encoder = model.deep.encoder
    looked_up = {**row, "user_row": users, "item_row": items}
    encoded = encoder(looked_up).numpy()[0]
    genres = [1.0, 0.0, 1.0, *[0.0] * 16]
    wanted = [*encoder.user_table.numpy()[2], *encoder.item_table.numpy()[3], 0.25, *genres]
    np.testing.assert_allclose(encoded, wanted, rtol=1e-6)
    np.testing.assert_allclose(stars, 5 * model.deep(looked_up), rtol=1e-6)
    assert penalty.shape == stars.shape and not penalty.numpy().any()
    np.testing.assert_array_equal(model.deep.hidden[0]._activation(0.0), 0.5)
    # Of a normal that is cut off at two standard deviations 0.88 is left.
    assert np.std(encoder.item_table) == pytest.approx(0.88 / 8, rel=0.15)


class Constant(RatingModel):
    """Tells for each row and member the rows that it was asked for, as stars."""

    def members(self, columns, users, items, seed):
        self.asked = users.numpy(), items.numpy()
        stars = tf.cast(tf.stack([users, items], axis=1), tf.float32)
        return stars, tf.constant([[0.5, 0.25]] * len(users))


def test_an_objective_is_the_sum_over_members_of_error_and_penalty():
    users = np.zeros(10**4, np.int64)
    model = Constant(users, users, 2, 2)
    rows = tensors((0, 0, 0), (0, 0, 0))
    rows["rating"] = tf.constant([1.0, 3.0])
    loss, objective = model.loss(rows, tf.constant([0, 0]))
    # Ids that are as frequent as these are not replaced.
    assert [ids.tolist() for ids in model.asked] == [[0, 0], [0, 0]]
    assert float(loss) == pytest.approx((1 + 1 + 9 + 9) / 4)
    assert float(objective) == pytest.approx(((1 + 1 + 0.75) + (9 + 9 + 0.75)) / 2)


def test_a_rare_id_is_at_times_taken_for_one_that_is_not_known():
    # User 0 occurs once, user 1 three times; of items it is the other way round.
    users, items = np.array([0, 1, 1, 1]), np.array([1, 0, 0, 0])
    model = Constant(users, items, 3, 3)
    rows = tensors(*[(0, 0, 0)] * 2000, *[(1, 1, 0)] * 2000, *[(2, 2, 0)] * 2000)
    model.loss(rows, tf.constant([0, 1]))
    asked_users, asked_items = model.asked
    for asked, shares in ((asked_users, (0.5, 0.25)), (asked_items, (0.25, 0.5))):
        for known, share in enumerate(shares):
            of = asked[2000 * known : 2000 * (known + 1)]
            assert set(of.tolist()) == {known, 2}
            assert np.mean(of == 2) == pytest.approx(share, abs=0.04)
        assert (asked[4000:] == 2).all()
    # Users and items are drawn apart from each other.
    both = np.mean((asked_users[:2000] == 2) & (asked_items[:2000] == 2))
    assert both == pytest.approx(0.5 * 0.25, abs=0.03)
    model.loss(rows, tf.constant([0, 2]))
    assert (model.asked[0] != asked_users).any() and (model.asked[1] != asked_items).any()


def test_the_row_for_unknown_ids_counts_as_often_as_there_are_others():
    model = Constant(np.array([0, 0, 1]), np.array([0, 0, 0]), 5, 2)
    np.testing.assert_allclose(model._user_rarity, [1 / 3, 1 / 2, 1, 1, 1 / 5])
    np.testing.assert_allclose(model._item_rarity, [1 / 4, 1 / 2])


def test_errors_are_those_of_the_stars(monkeypatch):
    config = RatingTrainerConfig(batch_size=2, hidden_units=(3,))
    vocabularies = SimpleNamespace(vocabulary_size_by_name=lambda name: ITEMS)
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    fit = RatingFit(config, strategy, vocabularies, VARIED, columns((0, 0, 0), (0, 1, 0)))
    monkeypatch.setattr(fit, "_predict", lambda columns: np.float32([2.0, 6.0]))
    assert fit.evaluate() == {"rmse": pytest.approx(np.sqrt((1 + 9) / 2)), "mae": 2.0}


def test_ratings_that_are_all_equal_are_nothing_to_learn():
    vocabularies = SimpleNamespace(vocabulary_size_by_name=lambda name: ITEMS)
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    with pytest.raises(UserError, match=r"all 6 ratings to train on are 3: there is nothing to"):
        RatingFit(RatingTrainerConfig(), strategy, vocabularies, TRAIN, TRAIN)
