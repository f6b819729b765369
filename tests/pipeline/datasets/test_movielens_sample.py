import numpy as np
import pytest

from pipeline.datasets.movielens_sample import write_sample

HELD_OUT = 7
"""Every seventh rating is for measuring."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample")
    write_sample(str(path))
    return path


@pytest.fixture(scope="module")
def ratings(folder):
    lines = (folder / "ratings.dat").read_text().splitlines()
    return np.array([line.split("::") for line in lines], np.int64)


def test_a_seed_determines_every_byte(folder, tmp_path):
    for seed in (0, 1):
        write_sample(str(tmp_path), seed)
        same = (tmp_path / "ratings.dat").read_bytes() == (folder / "ratings.dat").read_bytes()
        assert same == (seed == 0)


def test_ratings_are_those_of_ml_1m_in_form(ratings):
    user, item, stars, time = ratings.T
    assert len(ratings) == len(np.unique(ratings[:, :2], axis=0)) > 25_000
    counts = np.bincount(user)[1:]
    assert len(counts) == 600 and counts.min() >= 20 and counts.max() <= 80
    assert (np.unique(stars) == [1, 2, 3, 4, 5]).all()
    assert item.min() >= 1 and time.min() > 950_000_000 and time.max() < 1_050_000_000


def test_movies_are_those_of_ml_1m_in_form(folder, ratings):
    rows = [line.split("::") for line in (folder / "movies.dat").read_text("latin-1").splitlines()]
    assert {len(row) for row in rows} == {3}
    assert set(ratings[:, 1]) <= {int(row[0]) for row in rows}
    titles = [row[1] for row in rows]
    assert len(set(titles)) == 400
    assert any(", The (" in title for title in titles) and not "".join(titles).isascii()
    genres = {genre for row in rows for genre in row[2].split("|")}
    assert len(genres) == 19 and "Children's" in genres


def test_stars_follow_more_than_the_biases_of_users_and_items(ratings):
    user = ratings[:, 0] - 1
    item = np.unique(ratings[:, 1], return_inverse=True)[1]
    stars = ratings[:, 2].astype(float)
    held = np.arange(len(stars)) % HELD_OUT == 0
    residual = stars - stars[~held].mean()
    only_mean = _rmse(residual[held])
    for _ in range(10):
        for ids in (user, item):
            counts = np.bincount(ids[~held], minlength=ids.max() + 1)
            sums = np.bincount(ids[~held], residual[~held], minlength=ids.max() + 1)
            residual = residual - (sums / (counts + 5))[ids]
    only_biases = _rmse(residual[held])
    known = np.zeros((user.max() + 1, item.max() + 1))
    known[user[~held], item[~held]] = residual[~held]
    # The three strongest patterns of what the biases leave, found again and again in the gaps.
    filled = known.copy()
    for _ in range(5):
        left, strength, right = np.linalg.svd(filled, full_matrices=False)
        low_rank = (left[:, :3] * np.maximum(strength[:3] - 8, 0)) @ right[:3]
        filled = np.where(known != 0, known, low_rank)
    assert _rmse((residual - low_rank[user, item])[held]) < 0.93 * only_biases < 0.85 * only_mean


def test_what_users_watch_follows_more_than_popularity(ratings):
    user = ratings[:, 0] - 1
    item = np.unique(ratings[:, 1], return_inverse=True)[1]
    last = np.flatnonzero(np.diff(user, append=-1))
    seen = np.zeros((user.max() + 1, item.max() + 1))
    seen[user, item] = 1
    train = seen.copy()
    train[user[last], item[last]] = 0
    # EASE (Steck, 2019): a linear model of each item by all others.
    inverse = np.linalg.inv(train.T @ train + 50 * np.eye(train.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)

    def hit_rate(scores):
        rng = np.random.default_rng(0)
        hits = 0
        for u, target in zip(user[last], item[last], strict=True):
            negatives = rng.choice(np.flatnonzero(seen[u] == 0), 100, replace=False)
            hits += (scores[u, negatives] >= scores[u, target]).sum() < 10
        return hits / len(last)

    popularity = np.broadcast_to(train.sum(axis=0), train.shape)
    assert hit_rate(train @ weights) > 1.7 * hit_rate(popularity)


def _rmse(residual):
    return np.sqrt((residual**2).mean())
