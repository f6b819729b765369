import numpy as np
import pytest

from components.ncf_trainer.sequence.rows import pack_histories
from tests.components.ncf_trainer.sequence.histories import histories_of, random_histories

START = 99


def pieces(rows):
    """The (inputs, targets) of each piece, sorted."""
    found = []
    for inputs, targets, places in zip(*rows, strict=True):
        for at in np.flatnonzero(places == 0):
            piece = np.flatnonzero(places - places[at] == np.arange(len(places)) - at)
            piece = piece[piece >= at]
            found.append((inputs[piece].tolist(), targets[piece].tolist()))
    return sorted(found)


def test_each_item_is_a_target_after_the_one_before_it():
    rows = pack_histories(histories_of([5, 3, 8], [7]), 4, START)
    assert pieces(rows) == [([START], [7]), ([START, 5, 3], [5, 3, 8])]
    assert rows.inputs.shape == (1, 4)


def test_a_long_history_is_cut_from_its_end():
    rows = pack_histories(histories_of([1, 2, 3, 4, 5]), 2, START)
    assert pieces(rows) == [([1, 2], [2, 3]), ([3, 4], [4, 5]), ([START], [1])]


@pytest.mark.parametrize("length", [1, 7, 20, 50])
def test_rows_hold_every_interaction_once_and_are_nearly_full(length):
    histories = random_histories(60, 40)
    rows = pack_histories(histories, length, START)
    filled = rows.places >= 0
    assert filled.sum() == len(histories.items)
    assert sorted(rows.targets[filled]) == sorted(histories.items)
    pairs = {*zip(rows.inputs[filled].tolist(), rows.targets[filled].tolist(), strict=True)}
    first = np.diff(histories.owners, prepend=-1) > 0
    before = np.where(first, START, np.roll(histories.items, 1))
    assert pairs == {*zip(before.tolist(), histories.items.tolist(), strict=True)}
    assert len(rows.inputs) <= 11 / 9 * len(histories.items) / length + 1
