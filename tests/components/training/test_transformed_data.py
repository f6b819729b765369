import numpy as np
import pytest
import tensorflow as tf

from components.training import transformed_data
from components.training.transformed_data import read_columns, read_examples, split_columns
from transforms.base.errors import UserError

SPEC = {
    "id": tf.io.FixedLenFeature([], tf.int64),
    "code": tf.io.FixedLenFeature([], tf.int64),
    "scaled": tf.io.FixedLenFeature([], tf.float32),
}


def write(folder, columns, order, files=1):
    """Writes the rows in an order to gzipped files, and returns the pattern of those.

    A row is a number of a column, or several.
    """
    folder.mkdir()
    for number, part in enumerate(np.array_split(order, files)):
        with tf.io.TFRecordWriter(str(folder / f"rows-{number}.gz"), "GZIP") as file:
            for row in part:
                feature = {
                    name: tf.train.Feature(
                        int64_list=tf.train.Int64List(value=np.atleast_1d(column[row]))
                    )
                    if column[row].dtype == np.int64
                    else tf.train.Feature(
                        float_list=tf.train.FloatList(value=np.atleast_1d(column[row]))
                    )
                    for name, column in columns.items()
                }
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                file.write(example.SerializeToString())
    return [str(folder / "*")]


def test_rows_come_in_one_order_however_beam_wrote_and_rounded_them(tmp_path):
    rng = np.random.default_rng(0)
    columns = {
        # Some rows are equal, and some but for the float.
        "id": rng.integers(0, 30, 400),
        "code": rng.integers(0, 3, 400),
        "scaled": rng.integers(0, 3, 400).astype(np.float32) / 3,
    }
    first = read_columns(write(tmp_path / "1", columns, np.arange(400)), SPEC)
    assert np.any(np.diff(first["id"]) < 0)
    columns["scaled"] = np.nextafter(columns["scaled"], np.float32(2))
    again = read_columns(write(tmp_path / "2", columns, rng.permutation(400), files=3), SPEC)
    for name in SPEC:
        np.testing.assert_allclose(again[name], first[name], rtol=1e-6, atol=1e-6)
    parts = zip(split_columns(first, 5), split_columns(again, 5), strict=True)
    for one, other in parts:
        np.testing.assert_array_equal(one["id"], other["id"])


def test_lists_are_read_end_to_end_in_the_order_that_their_rows_alone_would_have(tmp_path):
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(0, 1000, 60) for name in ("id", "code")}
    columns["scaled"] = rng.random(60).astype(np.float32)
    alone = read_columns(write(tmp_path / "1", columns, np.arange(60)), SPEC)
    lists = {name: np.array_split(column, [1, 9, 30]) for name, column in columns.items()}
    ragged = {name: tf.io.RaggedFeature(feature.dtype) for name, feature in SPEC.items()}
    found = read_columns(write(tmp_path / "2", lists, rng.permutation(4), files=2), ragged)
    for name in SPEC:
        np.testing.assert_array_equal(found[name], alone[name])


@pytest.mark.parametrize("files", [1, 2, 5])
def test_workers_read_all_examples_between_them_and_none_twice(files, tmp_path):
    columns = {name: np.arange(20) for name in ("id", "code")}
    columns["scaled"] = np.zeros(20, np.float32)
    patterns = write(tmp_path / "rows", columns, np.arange(20), files)
    parts = [
        [
            row
            for block in read_examples(patterns, SPEC, tf.distribute.InputContext(2, worker, 1))
            for row in block["id"].numpy().tolist()
        ]
        for worker in range(2)
    ]
    assert all(parts) and sorted(parts[0] + parts[1]) == list(range(20))
    # Whole files, where there is one for each: no worker then reads what is another's.
    of_file = {
        row: place for place, of in enumerate(np.array_split(range(20), files)) for row in of
    }
    shared = {of_file[row] for row in parts[0]} & {of_file[row] for row in parts[1]}
    assert len(shared) == (1 if files == 1 else 0)


def test_many_examples_come_in_blocks_and_none_at_all_are_a_mistake(tmp_path, monkeypatch):
    monkeypatch.setattr(transformed_data, "_PARSED_TOGETHER", 8)
    columns = {name: np.arange(20) for name in ("id", "code")}
    columns["scaled"] = np.zeros(20, np.float32)
    blocks = read_examples(write(tmp_path / "rows", columns, np.arange(20)), SPEC)
    assert [len(block["id"]) for block in blocks] == [8, 8, 4]
    patterns = write(tmp_path / "none", columns, np.arange(0))
    with pytest.raises(UserError, match=r"none/\*: no Example for worker 0 of 1$"):
        read_examples(patterns, SPEC)


def test_without_keys_a_row_is_held_out_for_what_it_is(tmp_path):
    columns = {"id": np.arange(1000), "scaled": np.zeros(1000, np.float32)}
    _, whole = split_columns(columns, 5)
    _, half = split_columns({name: column[::-2] for name, column in columns.items()}, 5)
    assert set(half["id"]) == {row for row in whole["id"] if row % 2}
    assert 0.15 < len(whole["id"]) / 1000 < 0.25


def test_a_fifth_is_held_out_by_what_the_rows_are():
    users, items = np.repeat(np.arange(200), 20), np.tile(np.arange(20), 200)
    columns = {"user": users, "pair": np.stack([users, items], axis=1)}
    train, validation = split_columns(columns, 3, users, items)
    assert len(train["user"]) + len(validation["user"]) == len(users)
    assert 0.15 < len(validation["user"]) / len(users) < 0.25
    np.testing.assert_array_equal(validation["pair"][:, 0], validation["user"])

    some = items < 5
    part = {name: column[some] for name, column in columns.items()}
    _, fewer = split_columns(part, 3, users[some], items[some])
    assert set(map(tuple, fewer["pair"])) == {p for p in map(tuple, validation["pair"]) if p[1] < 5}
    assert len(split_columns(columns, 4, users, items)[1]["user"]) != len(validation["user"])


def test_a_row_alone_cannot_be_split():
    # Some seeds hold it out, and others do not.
    for seed in range(20):
        with pytest.raises(UserError, match="1 rows to train on are too few"):
            split_columns({"x": np.zeros(1)}, seed, np.zeros(1, int))
