import numpy as np
import pytest

from benchmarks import row_wise
from transforms.leave_one_out import leave_one_out

USERS, ITEMS = 8, 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ratings of 8 users, two of whom have too few, each at a time of its own."""
    rng = np.random.default_rng(3)
    counts = [25, 40, 19, 20, 30, 3, 22, 33]
    pairs = [(u + 1, i) for u in range(USERS) for i in rng.choice(ITEMS, counts[u], replace=False)]
    times = rng.permutation(len(pairs))
    rows = [f"{u}::{i * 3}::4::{t}\n" for (u, i), t in zip(pairs, times, strict=True)]
    path = tmp_path_factory.mktemp("ratings")
    (path / "ratings.dat").write_text("".join(rows))
    return str(path)


@pytest.fixture(scope="module")
def split(folder):
    return row_wise.split_ratings(folder)


def test_row_by_row_and_in_columns_the_same_items_are_held_out_and_kept(folder, split):
    with open(f"{folder}/ratings.dat") as file:
        rows = np.array([line.split("::") for line in file], np.int64)
    ours = leave_one_out(rows[:, 0], rows[:, 1], rows[:, 3], min_ratings=20)
    assert sorted(split.raw_users) == ours.user_id.tolist()
    for user, raw in enumerate(split.raw_users):
        at = int(np.searchsorted(ours.user_id, raw))
        expected = ours.item_id[ours.offsets[at] : ours.offsets[at + 1]].tolist()
        items = [*split.train[user], split.held_out[user]]
        assert [split.raw_items[item] for item in items] == expected


def test_a_users_candidates_are_the_held_out_item_and_untouched_ones(split, monkeypatch):
    monkeypatch.setattr(row_wise, "_EVAL_NEGATIVES", 10)
    for user, rows in row_wise.evaluation_pairs(split).groupby("user_id"):
        negatives = rows.loc[rows["label"] == 0, "item_id"]
        assert rows.loc[rows["label"] == 1, "item_id"].tolist() == [split.held_out[user]]
        assert len(negatives) == negatives.nunique() == 10
        assert not {*split.train[user], split.held_out[user]} & {*negatives}


def test_an_epoch_has_four_untouched_items_for_each_positive(split):
    for user, rows in row_wise.training_pairs(split).groupby("user_id"):
        positives = rows.loc[rows["label"] == 1, "item_id"].tolist()
        negatives = rows.loc[rows["label"] == 0, "item_id"].tolist()
        assert positives == split.train[user]
        assert len(negatives) == 4 * len(positives)
        assert not set(positives) & set(negatives)
