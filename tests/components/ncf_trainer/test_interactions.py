import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer import interactions
from components.ncf_trainer.interactions import read_interactions

# Of each split the user, the items, and which of them the user has had.
SPLITS = {
    "train": [(7, [3, 1], [1, 1]), (2, [5], [1]), (9, [1, 4, 3], [1, 1, 1]), (-1, [0], [1])],
    "eval": [(9, [8, 6, 7], [0, 1, 0]), (2, [9, 4], [1, 0]), (7, [5], [0])],
}
HAD = {-1: [0], 2: [5, 9], 7: [3, 1], 9: [1, 4, 3, 6]}


@pytest.fixture(params=[int, str])
def kind(request):
    return request.param


@pytest.fixture
def uri(kind, tmp_path):
    """Examples whose ids are integers, or text."""

    def ids(values):
        if kind is int:
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        texts = [f"ä{value}".encode() for value in values]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))

    for split, lists in SPLITS.items():
        folder = tmp_path / f"Split-{split}"
        folder.mkdir()
        for place, (user, items, labels) in enumerate(lists):
            floats = tf.train.FloatList(value=labels)
            feature = {
                "user_id": ids([user]),
                "item_id": ids(items),
                "label": tf.train.Feature(float_list=floats),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            with tf.io.TFRecordWriter(str(folder / f"rows-{place}.gz"), "GZIP") as file:
                file.write(example.SerializeToString())
    return str(tmp_path)


@pytest.mark.parametrize("together", [1, 3, 4096])
def test_users_have_their_histories_and_then_what_was_held_out(together, kind, uri, monkeypatch):
    monkeypatch.setattr(interactions, "_PARSED_TOGETHER", together)
    found = read_interactions(uri)
    known = {user if kind is int else f"ä{user}": items for user, items in HAD.items()}
    assert found.users.tolist() == sorted(known)
    for user, items in known.items():
        wanted = items if kind is int else [f"ä{item}" for item in items]
        assert found.of(user).tolist() == wanted
    for stranger in (-2, 3, 10) if kind is int else ("a", "ä3", "öther"):
        assert len(found.of(stranger)) == 0
    assert found.starts[0] == 0 and found.starts[-1] == len(found.items)
    assert (np.diff(found.starts) > 0).all()
