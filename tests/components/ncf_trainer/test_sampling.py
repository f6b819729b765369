import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ncf_trainer.sampling import draw, sample_untouched, untouched_index

ITEMS = 12


def negatives(histories, users, count, seed=(1, 2), items=ITEMS):
    owners = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
    touched = np.array([item for history in histories for item in history], np.int64)
    index = untouched_index(owners, touched, len(histories), items)
    draws = draw([len(users), count], tf.constant(seed, tf.int64))
    return sample_untouched(index, tf.constant(users, index.keys.dtype), draws).numpy()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, ITEMS - 1), max_size=ITEMS - 1), min_size=1, max_size=5),
    st.integers(0, 2**31 - 1),
)
def test_a_draw_is_an_item_the_user_has_not_touched(histories, seed):
    users = np.arange(len(histories))
    for user, drawn in zip(users, negatives(histories, users, 50, (seed, 0)), strict=True):
        assert not set(drawn) & set(histories[user])
        assert drawn.min() >= 0
        assert drawn.max() < ITEMS


def test_an_item_touched_again_and_again_takes_no_other_from_the_draw():
    drawn = negatives([[3, 3, 3, 7, 7]], [0], 2000)
    assert set(drawn[0]) == set(range(ITEMS)) - {3, 7}


def test_every_untouched_item_is_equally_likely():
    history = [0, 3, 4, 9]
    count = 80_000
    drawn = negatives([[1], history, [2, 5]], [1], count)[0]
    observed = np.bincount(drawn, minlength=ITEMS)
    free = np.setdiff1d(np.arange(ITEMS), history)
    expected = count / len(free)
    chi_square = ((observed[free] - expected) ** 2 / expected).sum()
    assert chi_square < 24.3  # the 0.1 % quantile at 7 degrees of freedom


def test_equal_seeds_draw_equally_and_others_do_not():
    histories, users = [[0], [1]], np.arange(2)
    first = negatives(histories, users, 30, (5, 6))
    np.testing.assert_array_equal(first, negatives(histories, users, 30, (5, 6)))
    assert (first != negatives(histories, users, 30, (5, 7))).any()


def test_a_user_who_touched_everything_gets_the_row_for_unknown_items():
    assert set(negatives([[0], list(range(ITEMS))], [1], 20)[0]) == {ITEMS}


def test_keys_beyond_int32_are_int64():
    items = 2**31 - 2
    index = untouched_index(np.array([0, 1]), np.array([5, 7]), 2, items)
    assert index.keys.dtype == np.int64
    drawn = negatives([[5], [7]], [1], 1000, items=items)
    assert drawn.dtype == np.int64
    assert drawn.max() > 2**30
