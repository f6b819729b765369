import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.create_fit import create_fit
from components.ncf_trainer.data import RankingData, read_candidates, read_histories
from components.ncf_trainer.export import export_model
from components.ranking_metrics import full_ranking
from components.training.strategy import create_strategy
from tests.components.ncf_trainer.conftest import example, interactions

LOWEST = np.finfo(np.float32).min
UNKNOWN = 999_999


OF_HISTORIES = {
    "sasrec": {"model_type": "sasrec", "max_length": 9},
    "next_item": {"model_type": "next_item", "train_epochs": 1, "max_length": 9},
    "blend": {"model_type": "sasrec", "max_length": 9, "next_item_share": 0.3},
}


@pytest.fixture(scope="module", params=["neumf", "gmf", "mlp", *OF_HISTORIES])
def exported(request, transformed, tmp_path_factory):
    """A model with random weights, its signatures and the raw ids that it knows."""
    output = tft.TFTransformOutput(str(transformed / "transform_output"))
    users, items = (
        [int(value) for value in output.vocabulary_by_name(name)] for name in ("users", "items")
    )
    config = NcfTrainerConfig(**OF_HISTORIES.get(request.param, {"model_type": request.param}))
    whole = tf.distribute.InputContext()
    histories, candidates = (
        read([str(transformed / split / "*")], whole)
        for read, split in ((read_histories, "train"), (read_candidates, "eval"))
    )
    sizes = (len(users), len(items))
    model = create_fit(config, create_strategy(0), RankingData(histories, candidates, *sizes)).model
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if variable.dtype == tf.float32:
            variable.assign(rng.normal(size=variable.shape))
    directory = str(tmp_path_factory.mktemp(request.param))
    export_model(model, output, directory)
    return model, (tf.saved_model.load(directory).signatures, users, items)


@pytest.fixture(scope="module")
def served(exported):
    """The signatures and the raw ids."""
    return exported[1]


@pytest.fixture(scope="module")
def vectors(exported):
    """The vectors of the items by their rows, taken from the variable that holds them."""
    model, (_, _, items) = exported
    names = ("item_embedding:0", "weights:0")
    tables = {variable.name.split("/")[-1]: variable.numpy() for variable in model.weights}
    return next(tables[name] for name in names if name in tables)[: len(items)]


@pytest.fixture
def by_history(served):
    """The same of a model that ranks by histories."""
    if "recommend_history" not in served[0]:
        pytest.skip("knows a user by an embedding")
    return served


def recommend(served, users, k, exclude, include=None):
    answer = served[0]["recommend"](
        user_id=tf.constant(users, tf.int64),
        k=tf.constant(k, tf.int32),
        exclude=tf.constant(exclude, tf.int64),
        include=tf.constant(include or [[]] * len(exclude), tf.int64),
    )
    return answer["item_id"].numpy(), answer["scores"].numpy()


def brute_force(served, users, k, exclude):
    signatures, _, items = served
    scores = signatures["score"](
        user_id=tf.constant(users, tf.int64),
        item_id=tf.constant([items] * len(users), tf.int64),
    )["scores"].numpy()
    scores[[[item in out for item in items] for out in exclude]] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.array(items)[order], np.take_along_axis(scores, order, axis=1)


def test_recommend_is_the_best_of_score_for_known_and_unknown_users(served):
    _, users, items = served
    asked = [*users[:5], UNKNOWN]
    exclude = [items[i : i + 3] + [UNKNOWN] * 2 for i in range(6)]
    ids, scores = recommend(served, asked, 7, exclude)
    expected_ids, expected_scores = brute_force(served, asked, 7, exclude)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-4, atol=1e-4)


def test_nothing_excluded_and_nothing_asked_for_are_fine(served):
    users = served[1][:2]
    ids, _ = recommend(served, users, 3, np.zeros((2, 0)))
    np.testing.assert_array_equal(ids, brute_force(served, users, 3, [[], []])[0])
    assert recommend(served, users, 0, np.zeros((2, 0)))[0].shape == (2, 0)


def test_what_is_missing_from_k_is_padded(served):
    _, users, items = served
    ids, scores = recommend(served, users[:2], len(items) + 5, [[*items[:-2], items[0]]] * 2)
    assert ids.shape == scores.shape == (2, len(items) + 5)
    for row, score in zip(ids, scores, strict=True):
        assert set(row[:2]) == set(items[-2:])
        assert set(row[2:]) == {-1} and set(score[2:]) == {LOWEST}


def test_an_id_of_the_vocabulary_is_excluded_and_no_other_is(served):
    _, users, items = served
    ids, scores = recommend(served, users[:2], len(items), [[-1, items[0]], [UNKNOWN, items[0]]])
    left = [{*row[score > LOWEST]} for row, score in zip(ids, scores, strict=True)]
    assert left == [{*items} - {-1, items[0]}, {*items} - {items[0]}]


def test_k_may_be_given_for_each_row(served):
    users = served[1][:2]
    by_row, _ = recommend(served, users, [4, 2], [[UNKNOWN]] * 2)
    at_once, _ = recommend(served, users, 4, [[UNKNOWN]] * 2)
    np.testing.assert_array_equal(by_row, at_once)


def recommend_history(served, histories, k, exclude, include=None):
    answer = served[0]["recommend_history"](
        history=tf.constant(histories, tf.int64),
        k=tf.constant(k, tf.int32),
        exclude=tf.constant(exclude, tf.int64),
        include=tf.constant(include or [[]] * len(exclude), tf.int64),
    )
    return answer["item_id"].numpy(), answer["scores"].numpy()


def test_a_users_own_history_says_what_the_user_does(by_history):
    some = list(interactions())[:4]
    users, histories = [user for user, _, _ in some], [items for _, items, _ in some]
    for one, other in zip(
        recommend_history(by_history, histories, 5, histories),
        recommend(by_history, users, 5, histories),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    known, ids = by_history[0], tf.constant(histories, tf.int64)
    np.testing.assert_allclose(
        known["score"](user_id=tf.constant(users, tf.int64), item_id=ids)["scores"],
        known["score_history"](history=ids, item_id=ids)["scores"],
        rtol=1e-5,
        atol=1e-5,
    )


def test_a_history_may_be_of_anybody_and_hold_anything(by_history):
    items = by_history[2]
    plain = recommend_history(by_history, [items[3:6]], 4, [[]])
    with_gaps = recommend_history(
        by_history, [[UNKNOWN, items[3], UNKNOWN, *items[4:6], UNKNOWN]], 4, [[]]
    )
    np.testing.assert_array_equal(plain[0], with_gaps[0])
    np.testing.assert_allclose(plain[1], with_gaps[1], rtol=1e-5)
    reordered = recommend_history(by_history, [items[5:2:-1]], 4, [[]])
    assert np.abs(reordered[1] - plain[1]).max() > 1e-4


def test_who_has_no_history_gets_what_a_stranger_does(by_history):
    of_nothing = recommend_history(by_history, [[UNKNOWN]], 3, [[]])
    stranger = recommend(by_history, [UNKNOWN], 3, [[]])
    np.testing.assert_allclose(of_nothing[1], stranger[1], rtol=1e-5)
    assert np.isfinite(of_nothing[1]).all()


def rank_all(served, rows):
    """The signature's answer for rows of user, candidates (the held-out item first) and history."""
    labels = [np.eye(1, len(candidates))[0] for _, candidates, _ in rows]
    examples = [example(u, c, label, h) for (u, c, h), label in zip(rows, labels, strict=True)]
    answer = served[0]["rank_all"](examples=tf.constant(examples))
    return {name: value.numpy() for name, value in answer.items()}


def plain_ranks(served, rows):
    """The same ranks and best items by the signature `score`, one user at a time."""
    for user, (held_out, *_), history in rows:
        left = [item for item in served[2] if item not in history and item != held_out]
        own, *others = served[0]["score"](
            user_id=tf.constant([user], tf.int64),
            item_id=tf.constant([[held_out, *left]], tf.int64),
        )["scores"].numpy()[0]
        yield 1 + sum(other >= own for other in others)


def test_a_held_out_item_is_ranked_among_all_that_are_not_in_the_history(served):
    _, users, items = served
    rows = [(user, candidates.tolist(), history) for user, history, candidates in interactions()]
    # A stranger, an unknown history, and an item that training did not see.
    rows += [
        (UNKNOWN, items[:3], items[5:9]),
        (users[0], items[4:6], [78]),
        (users[1], [77], items),
    ]
    told = rank_all(served, rows)
    assert told[full_ranking.RANK][:, 0].tolist() == [*plain_ranks(served, rows)]
    assert told[full_ranking.ITEMS].tolist() == [[len(items)]] * len(rows)
    asked, excluded = [user for user, _, _ in rows[:9]], [[*history] for _, _, history in rows[:9]]
    best, _ = brute_force(served, asked, 10, excluded)
    assert [[items[row] for row in top[:10]] for top in told[full_ranking.TOP][:9]] == best.tolist()
    for top, told_history, (_, _, history) in zip(
        told[full_ranking.TOP], told[full_ranking.HISTORY], rows, strict=True
    ):
        history = [item for item in history if item in items]
        left = len(items) - len(history)
        assert len(top) == full_ranking.LONGEST and (top[left:] == -1).all()
        assert len({*top[:left]}) == left
        assert [items[row] for row in told_history if row >= 0] == [*history]


def test_without_a_history_nothing_is_ranked(served):
    _, users, items = served
    told = rank_all(served, [(users[0], items[4:6], []), (users[1], items[:1], items[1:2])])
    assert told[full_ranking.RANK][0] == 0 < told[full_ranking.RANK][1]
    assert (told[full_ranking.TOP][0] == -1).all()
    assert (told[full_ranking.HISTORY][0] == -1).all()


def test_nothing_but_what_is_included_is_recommended(served):
    _, users, items = served
    include = [[*items[2:9], UNKNOWN], [items[0], UNKNOWN, items[0], items[7], *[UNKNOWN] * 4]]
    exclude = [[items[3]], [UNKNOWN]]
    ids, scores = recommend(served, users[:2], 9, exclude, include)
    for row, (stock, out) in enumerate(zip(include, exclude, strict=True)):
        others = [item for item in items if item not in stock or item in out]
        expected_ids, expected = brute_force(served, [users[row]], 9, [others])
        left = len(items) - len(others)
        assert ids[row].tolist() == [*expected_ids[0][:left], *[-1] * (9 - left)]
        np.testing.assert_allclose(scores[row, :left], expected[0][:left], rtol=1e-4, atol=1e-4)
        assert (scores[row, left:] == LOWEST).all()


@pytest.mark.parametrize("name", ["exclude", "include"])
def test_each_who_is_asked_for_has_a_row_of_what_is_left_out_and_let_in(served, name):
    users = served[1][:2]
    rows = {"exclude": [[]] * 2, "include": [[]] * 2, name: [[served[2][0]]]}
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{name} must have a row for each"):
        recommend(served, users, 3, rows["exclude"], rows["include"])


def similar(served, item_id, k, exclude):
    answer = served[0]["similar"](
        item_id=tf.constant(item_id, tf.int64),
        k=tf.constant(k),
        exclude=tf.constant(exclude, tf.int64),
        include=tf.zeros([len(item_id), 0], tf.int64),
    )
    return answer["item_id"].numpy(), answer["scores"].numpy()


def test_items_are_similar_by_the_cosines_of_their_vectors(served, vectors):
    items = served[2]
    asked, exclude = [items[4], items[0], UNKNOWN], [[items[9]], [UNKNOWN], [UNKNOWN]]
    ids, scores = similar(served, asked, 5, exclude)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for row in range(2):
        cosines = unit @ unit[items.index(asked[row])]
        cosines[[items.index(item) for item in (asked[row], *exclude[row]) if item in items]] = -9
        best = np.argsort(-cosines, kind="stable")[:5]
        assert ids[row].tolist() == [items[at] for at in best]
        np.testing.assert_allclose(scores[row], cosines[best], rtol=1e-4, atol=1e-5)
    assert ids[2].tolist() == [-1] * 5 and (scores[2] == LOWEST).all()


def test_a_history_chooses_from_what_is_included_too(by_history):
    items = by_history[2]
    ids, _ = recommend_history(by_history, [items[3:6]], 3, [items[3:6]], [items[4:7]])
    assert ids.tolist() == [[items[6], -1, -1]]
