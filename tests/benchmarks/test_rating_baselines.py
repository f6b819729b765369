import numpy as np
import pytest

from benchmarks.rating_baselines import Rated, biases, mean, predict

SPLITS = {"at random": [{"seed": 0}, {"seed": 1}]}


def rated(*rows):
    users, items, stars = np.array(rows, float).T
    return Rated(users.astype(int), items.astype(int), stars)


def test_biases_are_the_damped_means_of_what_the_other_side_leaves():
    train = rated((1, 5, 4), (1, 7, 2), (2, 5, 5), (3, 9, 1))
    centre, user, item = 3.0, dict.fromkeys((1, 2, 3), 0.0), {}
    rows = list(zip(*train, strict=True))
    for _ in range(10):
        for i in (5, 7, 9):
            left = [r - centre - user[u] for u, j, r in rows if j == i]
            item[i] = sum(left) / (10 + len(left))
        for u in user:
            left = [r - centre - item[j] for v, j, r in rows if v == u]
            user[u] = sum(left) / (15 + len(left))
    found = biases(train, rated((1, 5, 0), (3, 7, 0), (8, 9, 0), (2, 99, 0), (8, 99, 0)))
    wanted = [user[1] + item[5], user[3] + item[7], item[9], user[2], 0]
    np.testing.assert_allclose(found, centre + np.array(wanted))


def test_the_mean_is_that_of_train():
    assert mean(rated((1, 1, 2), (1, 2, 5)), rated((9, 9, 1), (1, 1, 1))).tolist() == [3.5, 3.5]


def test_biases_beat_the_mean_where_there_are_some(tmp_path):
    rng = np.random.default_rng(0)
    ratings = [
        f"{user}::{item}::{3 + item % 2 * 2 - rng.integers(2)}::{user * 100 + item}\n"
        for user in range(1, 31)
        for item in range(1, 21)
    ]
    (tmp_path / "ratings.dat").write_text("".join(ratings))
    (tmp_path / "movies.dat").write_text("".join(f"{m}::A (1999)::War\n" for m in range(1, 21)))
    found = {name: predict(str(tmp_path), name, SPLITS) for name in ("mean", "biases")}
    rmse = {name: timing.figures["at random"] for name, timing in found.items()}
    assert rmse["biases"] < 0.7 < 1 < rmse["mean"]
    assert found["mean"].count == pytest.approx(2 * 0.8 * 600, rel=0.05)
