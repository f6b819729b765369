import numpy as np
import pytest
import tensorflow as tf

from components.wide_deep_trainer.ratings.implicit import Implicit, describe_sets

RATED = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 0, 0], [1, 0, 0, 1, 1, 0], [0] * 6], float)


@pytest.fixture(scope="module")
def sets():
    return describe_sets(*np.nonzero(RATED), *RATED.shape, 2)


def test_vectors_project_sets_onto_the_first_singular_vectors(sets):
    users, items = np.nonzero(RATED)
    counts = [np.maximum(RATED.sum(axis), 1) for axis in (1, 0)]
    normal = RATED / np.sqrt(np.outer(*counts))
    left, _, right = np.linalg.svd(normal)
    for found, table, base, number, rows in (
        (sets.users, RATED, right[:2].T, counts[0], users),
        (sets.items, RATED.T, left[:, :2], counts[1], items),
    ):
        wanted = table @ base / np.sqrt(number)[:, np.newaxis]
        wanted *= 1.5 / np.sqrt(np.mean(np.sum(wanted[rows] ** 2, axis=1)))
        # Singular vectors have neither sign nor, here, order.
        np.testing.assert_allclose(
            found[:, :-1] @ found[:, :-1].T, wanted @ wanted.T, rtol=1e-4, atol=1e-5
        )
        assert found.dtype == np.float32


def test_the_last_column_is_the_standard_score_of_the_log_of_the_number(sets):
    logs = np.log([2, 2, 2, 2, 1, 1])
    rated = np.nonzero(RATED)[1]
    wanted = (logs - logs[rated].mean()) / logs[rated].std()
    np.testing.assert_allclose(sets.items[:, -1], wanted, rtol=1e-5)
    # All users have as many.
    assert not sets.users[:3, -1].any()


def test_rows_without_ratings_have_no_vector(sets):
    assert not sets.users[3, :-1].any() and not sets.items[5, :-1].any()


def test_repeats_count_once_and_the_answer_is_the_same_each_time(sets):
    users, items = np.nonzero(RATED)
    order = np.arange(len(users) + 3) % len(users)
    # Each user has one rating twice.
    order[-3:] = [0, 3, 6]
    again = describe_sets(users[order], items[order], *RATED.shape, 2)
    for one, other in zip(sets, again, strict=True):
        cosines = [x[:, :-1] @ x[:, :-1].T for x in (one, other)]
        cosines = [x / np.abs(x).max() for x in cosines]
        np.testing.assert_allclose(*cosines, atol=1e-5)
    same = describe_sets(users, items, *RATED.shape, 2)
    np.testing.assert_array_equal(np.vstack([same.users]), sets.users)
    np.testing.assert_array_equal(same.items, sets.items)


def test_sets_with_nothing_in_common_have_the_same_vectors_each_time():
    # Of equal singular values, 1 for each such part and 0 for each empty row, any basis is one.
    users, items = np.array([1, 0, 0, 0, 0, 2]), np.array([0, 0, 1, 2, 3, 4])
    first, *others = (describe_sets(users, items, 7, 7, 100) for _ in range(5))
    for other in others:
        np.testing.assert_array_equal(other.users, first.users)
        np.testing.assert_array_equal(other.items, first.items)


def test_the_first_singular_vectors_of_many_are_found():
    # Six kinds of users and of items: far more directions than are looked for.
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, 6, 300)[:, np.newaxis] == rng.integers(0, 6, 400)
    rated = rng.random(kinds.shape) < np.where(kinds, 0.5, 0.05)
    found = describe_sets(*np.nonzero(rated), *rated.shape, 6).users[:, :-1]
    counts = rated.sum(axis=1), rated.sum(axis=0)
    _, _, right = np.linalg.svd(rated / np.sqrt(np.outer(*counts)), full_matrices=False)
    wanted = rated @ right[:6].T / np.sqrt(counts[0])[:, np.newaxis]
    wanted *= 1.5 / np.sqrt(np.mean(np.sum(wanted[np.nonzero(rated)[0]] ** 2, axis=1)))
    np.testing.assert_allclose(found @ found.T, wanted @ wanted.T, atol=0.01)


def test_no_more_columns_than_the_data_has():
    users, items = np.nonzero(RATED)
    assert describe_sets(users, items, *RATED.shape, 100).users.shape == (4, 4)


def test_factors_and_biases_are_linear_in_the_vectors():
    vectors = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    layer = Implicit("sets", vectors, 2, 5)
    assert not layer.to_bias.numpy().any()
    assert [w.shape for w in layer.trainable_weights] == [[3, 2, 5], [3, 2]]
    layer.to_bias.assign([[1, 2], [3, 4], [5, 6]])
    factors, bias = layer(tf.constant([2, 0], tf.int64))
    wanted = np.einsum("bk,kmf->bmf", vectors[[2, 0]], layer.to_factors.numpy())
    np.testing.assert_allclose(factors, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(bias, vectors[[2, 0]] @ layer.to_bias.numpy(), rtol=1e-5)
    np.testing.assert_allclose(layer.biases(), vectors @ layer.to_bias.numpy(), rtol=1e-5)
    np.testing.assert_allclose(
        layer.l2(), (layer.to_factors.numpy() ** 2).sum(axis=(0, 2)), rtol=1e-5
    )
