import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer.data import read_candidates, read_histories
from transforms.base.errors import UserError

WHOLE = tf.distribute.InputContext()


def write(path, *lists):
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for user, items, labels in lists:
            ints, floats = tf.train.Int64List, tf.train.FloatList
            feature = {
                "user_row": tf.train.Feature(int64_list=ints(value=[user])),
                "item_row": tf.train.Feature(int64_list=ints(value=items)),
                "label": tf.train.Feature(float_list=floats(value=labels)),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def test_histories_keep_their_order_whatever_the_order_of_the_records(tmp_path):
    write(tmp_path / "a.gz", (7, [5, 1, 3], [1, 1, 1]), (2, [9], [1]))
    write(tmp_path / "b.gz", (4, [8, 2], [1, 1]))
    histories = read_histories([str(tmp_path / "*")], WHOLE)
    np.testing.assert_array_equal(histories.users, [2, 4, 7])
    np.testing.assert_array_equal(histories.owners, [0, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(histories.items, [9, 8, 2, 5, 1, 3])


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_user_belongs_to_one_worker(tmp_path, workers):
    write(tmp_path / "a.gz", *[(user, [user], [1]) for user in range(5)])
    write(tmp_path / "b.gz", *[(user, [user], [1]) for user in range(5, 8)])
    parts = [
        read_histories([str(tmp_path / "*")], tf.distribute.InputContext(workers, worker)).users
        for worker in range(workers)
    ]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(8))


def test_the_held_out_item_comes_first_and_short_lists_are_marked(tmp_path):
    write(tmp_path / "a.gz", (1, [10, 11, 12], [0, 0, 1]), (2, [20, 21], [1, 0]))
    candidates = read_candidates([str(tmp_path / "*")], WHOLE)
    np.testing.assert_array_equal(candidates.items[0], [12, 10, 11])
    np.testing.assert_array_equal(candidates.items[1][:2], [20, 21])
    np.testing.assert_array_equal(candidates.present, [[1, 1, 1], [1, 1, 0]])


def test_a_list_without_exactly_one_positive_is_an_error(tmp_path):
    write(tmp_path / "a.gz", (1, [10, 11], [0, 1]), (3, [10, 11], [1, 1]))
    with pytest.raises(UserError, match="user row 3 has 2 candidates labelled 1"):
        read_candidates([str(tmp_path / "*")], WHOLE)


def test_no_example_is_an_error(tmp_path):
    write(tmp_path / "a.gz")
    with pytest.raises(UserError, match="no Example for worker 0 of 1"):
        read_histories([str(tmp_path / "*")], WHOLE)
