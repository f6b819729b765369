import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.export import export_model
from components.ncf_trainer.model import NcfModel

LOWEST = np.finfo(np.float32).min
UNKNOWN = 999_999


@pytest.fixture(scope="module", params=["neumf", "gmf", "mlp"])
def served(request, transformed, tmp_path_factory):
    """Signatures of an exported model with random weights, and the raw ids that it knows."""
    output = tft.TFTransformOutput(str(transformed / "transform_output"))
    users, items = (
        [int(value) for value in output.vocabulary_by_name(name)] for name in ("users", "items")
    )
    config = NcfTrainerConfig(model_type=request.param)
    model = NcfModel(config, len(users) + 1, len(items) + 1)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    directory = str(tmp_path_factory.mktemp(request.param))
    export_model(model, output, directory)
    return tf.saved_model.load(directory).signatures, users, items


def recommend(served, users, k, exclude):
    answer = served[0]["recommend"](
        user_id=tf.constant(users, tf.int64),
        k=tf.constant(k, tf.int32),
        exclude=tf.constant(exclude, tf.int64),
    )
    return answer["item_id"].numpy(), answer["scores"].numpy()


def brute_force(served, users, k, exclude):
    signatures, _, items = served
    scores = signatures["score"](
        user_id=tf.constant(users, tf.int64),
        item_id=tf.constant([items] * len(users), tf.int64),
    )["scores"].numpy()
    scores[[[item in out for item in items] for out in exclude]] = -np.inf
    order = np.argsort(-scores, axis=1)[:, :k]
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
