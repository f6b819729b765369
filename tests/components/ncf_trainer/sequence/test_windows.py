import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer.sequence.windows import HistoryTable, windows_of
from tests.components.ncf_trainer.sequence.histories import histories_of

ITEMS = 10


@pytest.fixture
def table():
    return HistoryTable(histories_of([1, 2, 3, 4, 5], [6, 7], [8], users=[0, 2, 3]), 4, ITEMS, 4)


def test_a_window_is_the_end_of_a_history_after_its_start(table):
    items, places = table(tf.constant([0, 2, 3], tf.int64))
    assert items.numpy().tolist() == [[2, 3, 4, 5], [10, 10, 6, 7], [10, 10, 10, 8]]
    assert places.numpy().tolist() == [[2, 3, 4, 5], [-1, 0, 1, 2], [-1, -1, 0, 1]]


def test_who_has_no_history_is_at_its_start(table):
    for user in (1, 4):
        items, places = table(tf.constant([user], tf.int64))
        assert items.numpy().tolist() == [[10, 10, 10, 10]]
        assert places.numpy().tolist() == [[-1, -1, -1, 0]]


def test_a_history_that_is_given_has_the_window_of_one_that_is_kept(table):
    histories = [[1, 2, 3, 4, 5], [6, 7, 10, 10, 10], [10, 8, 10, 10, 10]]
    given = windows_of(tf.constant(histories), ITEMS, 4)
    for kept, window in zip(table(tf.constant([0, 2, 3], tf.int64)), given, strict=True):
        np.testing.assert_array_equal(kept, window)


def test_unknown_items_are_passed_over_wherever_they_stand():
    with_gaps = windows_of(tf.constant([[10, 3, 10, 10, 4, 5, 10]]), ITEMS, 4)
    without = windows_of(tf.constant([[3, 4, 5]]), ITEMS, 4)
    for one, other in zip(with_gaps, without, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_history_at_all_is_its_start():
    items, places = windows_of(tf.zeros([2, 0], tf.int64), ITEMS, 3)
    assert items.numpy().tolist() == [[10, 10, 10]] * 2
    assert places.numpy().tolist() == [[-1, -1, 0]] * 2
