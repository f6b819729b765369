import numpy as np
import pytest

from components.ncf_trainer.data import Histories
from components.ncf_trainer.validation import hold_out_last
from transforms.base.errors import UserError

ITEMS = 150
# Rows and items in order of time; the third user has one item, the last nearly all.
USERS = {4: [9, 3, 7], 6: [1, 2], 8: [5], 11: list(range(ITEMS - 3, -1, -1))}


def histories(users):
    lengths = [len(items) for items in users.values()]
    return Histories(
        np.array(list(users)),
        np.repeat(np.arange(len(users)), lengths),
        np.concatenate([np.array(items) for items in users.values()]),
    )


def test_the_last_item_of_each_user_is_ranked_and_not_trained_on():
    train, candidates = hold_out_last(histories(USERS), ITEMS, seed=1)
    left = {user: items[:-1] if len(items) > 1 else items for user, items in USERS.items()}
    for got, wanted in zip(train, histories(left), strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert candidates.users.tolist() == [4, 6, 11]
    assert candidates.items[:, 0].tolist() == [7, 2, 0]
    assert candidates.present.sum(axis=1).tolist() == [101, 101, 3]


def test_negatives_are_distinct_items_that_the_user_never_touched():
    _, candidates = hold_out_last(histories(USERS), ITEMS, seed=1)
    for user, items, present in zip(*candidates, strict=True):
        negatives = items[1:][present[1:]].tolist()
        assert len(set(negatives)) == len(negatives)
        assert set(negatives) <= set(range(ITEMS)) - set(USERS[user])
    _, others = hold_out_last(histories(USERS), ITEMS, seed=2)
    assert (others.items[0] != candidates.items[0]).any()


def test_users_of_one_item_leave_nothing_to_validate_on():
    with pytest.raises(UserError, match="every user has one item"):
        hold_out_last(histories({1: [3], 2: [5]}), ITEMS, seed=0)
