import numpy as np

from benchmarks import ratings
from benchmarks.histories import load_histories, save_histories


def test_made_up_ratings_are_distinct_long_tailed_and_enough_for_every_user(tmp_path, monkeypatch):
    shape = ratings.Shape(users=300, items=2000, ratings=30_000)
    monkeypatch.setitem(ratings.SHAPES, "tiny", shape)
    for name in ("once", "again"):
        ratings.write_ratings("tiny", str(tmp_path / name))
    text = (tmp_path / "once" / "ratings.csv").read_text()
    assert (tmp_path / "again" / "ratings.csv").read_text() == text

    rows = np.genfromtxt(text.splitlines(), delimiter=",", skip_header=1)
    user, item = rows[:, 0].astype(int), rows[:, 1].astype(int)
    counts = np.bincount(user)[1:]
    assert len(np.unique(user * 100_000 + item)) == len(rows) > 0.9 * shape.ratings
    assert len(counts) == shape.users and counts.min() >= 20
    assert counts.max() > 3 * np.median(counts)

    save_histories(str(tmp_path / "once"), str(tmp_path / "once.npz"))
    histories, num_items = load_histories(str(tmp_path / "once.npz"))
    assert len(histories.users) == shape.users
    assert len(histories.owners) == len(rows) - shape.users
    assert histories.items.max() < num_items <= shape.items
