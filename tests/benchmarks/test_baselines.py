import numpy as np
import pytest

from benchmarks import baselines
from benchmarks.baselines import Users, ease, figures, popular, rank, read_users
from benchmarks.examples import write_leave_one_out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ratings of 30 users, each of whom goes on by threes."""
    rng = np.random.default_rng(0)
    rows = [
        f"{user}::{1 + (3 * place + user % 3) % 360}::4::{place}\n"
        for user in range(1, 31)
        for place in range(rng.integers(0, 9), 40)
    ]
    path = tmp_path_factory.mktemp("ratings")
    (path / "ratings.dat").write_text("".join(rows))
    return str(path)


@pytest.fixture(scope="module")
def users(folder, tmp_path_factory):
    uri = str(tmp_path_factory.mktemp("examples"))
    write_leave_one_out(folder, uri)
    return read_users(uri)


def test_who_is_evaluated_on_has_a_history_and_candidates_that_it_lacks(users):
    assert users.had.shape[0] == 30 and set(np.unique(users.had)) == {0, 1}
    assert (users.had.sum(axis=1) >= 31).all() and (users.had.sum(axis=1) <= 39).all()
    items = users.had.shape[1]
    for had, candidates in zip(users.had, users.candidates, strict=True):
        there = candidates[(candidates >= 0) & (candidates < items)]
        assert not had[there].any() and len(there) > 1


def test_figures_are_those_of_ranks_counted_one_by_one():
    had = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1]], np.float32)
    candidates = np.array([[1, 2, 3], [0, 3, -1], [5, 0, 1]])
    scores = np.array([[9, 3, 3, 1, 0], [2, 9, 1, 0, 3], [1, 2, 3, 4, 5]], np.float32)
    found = figures(scores, Users(had, candidates))
    # Of the third, the held-out item is in no history: its score is the mean, 3.
    assert found.hit_rate_at_10 == found.full_hit_rate == 1
    assert found.ndcg_at_10 == pytest.approx((1 / np.log2(3) + 1 + 1) / 3)
    assert found.full_ndcg == pytest.approx((1 / np.log2(3) + 1 / np.log2(3) + 1 / np.log2(4)) / 3)
    assert found.coverage == 1


def test_the_popular_are_the_same_for_all_and_ease_is_its_definition(users, monkeypatch):
    counts = users.had.sum(axis=0)
    assert (popular(users.had) == counts).all() and len(popular(users.had)) == 30
    monkeypatch.setattr(baselines, "_RIDGE", 3.0)
    inverse = np.linalg.inv(users.had.T @ users.had + 3 * np.eye(len(counts)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    np.testing.assert_allclose(ease(users.had), users.had @ weights, atol=1e-4)


def test_a_model_of_similar_items_beats_the_popular_ones(folder):
    timing = {model: rank(folder, model) for model in baselines.MODELS}
    assert timing["EASE"].count == 30 and len(timing["EASE"].seconds) == 1
    assert timing["EASE"].figures["full_ndcg"] > timing["popularity"].figures["full_ndcg"]
