"""Histories cut into pieces and packed into rows of one length, so that no step pads."""

from typing import NamedTuple

import numpy as np

from components.ncf_trainer.data import Histories


class SequenceRows(NamedTuple):
    """Rows to predict a user's next item in, several pieces of histories in each.

    Attributes:
        inputs: What a user had before, an item's embedding row, [rows, length]. A history begins
            with the row after the last of the items, which stands for its start.
        targets: What came next, [rows, length].
        places: Position within the piece, from 0; -1 where the row is not filled, [rows, length].
    """

    inputs: np.ndarray
    targets: np.ndarray
    places: np.ndarray


def pack_histories(histories: Histories, length: int, start: int) -> SequenceRows:
    """Packs all interactions, each of which is a target once.

    A history is cut from its end, so that its last piece is as long as a row where it can be. What
    is left of all histories fills rows together, the longest pieces first (first-fit decreasing).

    Args:
        histories: Whose.
        length: Of a row, and the longest piece.
        start: The embedding row that stands for the start of a history.

    Returns:
        int32 arrays.
    """
    owners, items = histories.owners, histories.items
    counts = np.bincount(owners, minlength=len(histories.users))
    ends = np.cumsum(counts)
    first = np.zeros(len(items), bool)
    first[(ends - counts)[counts > 0]] = True
    previous = np.where(first, start, np.roll(items, 1))

    piece_of = (ends[owners] - 1 - np.arange(len(items))) // length
    begins = first | (np.diff(piece_of, prepend=-1) != 0)
    piece = np.cumsum(begins) - 1
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(items)))
    row, offset = _fit(lengths, length)

    place = np.arange(len(items)) - starts[piece]
    at = (row[piece], offset[piece] + place)
    shape = (int(row.max()) + 1, length)
    rows = SequenceRows(*(np.full(shape, fill, np.int32) for fill in (start, 0, -1)))
    for array, values in zip(rows, (previous, items, place), strict=True):
        array[at] = values
    return rows


def _fit(lengths: np.ndarray, room: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns for each piece its row, and where in the row it begins."""
    waiting = [list(np.flatnonzero(lengths == size)[::-1]) for size in range(room + 1)]
    row, offset = np.zeros(len(lengths), np.int64), np.zeros(len(lengths), np.int64)
    number, largest = 0, room
    while largest:
        if not waiting[largest]:
            largest -= 1
            continue
        filled, size = 0, largest
        while size:
            while waiting[size] and filled + size <= room:
                piece = waiting[size].pop()
                row[piece], offset[piece] = number, filled
                filled += size
            size = min(size - 1, room - filled)
        number += 1
    return row, offset
