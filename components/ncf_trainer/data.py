"""Transformed Examples, read once into the flat arrays that training keeps on its devices."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.ncf_trainer import features
from components.training.transformed_data import read_examples
from transforms.base.errors import UserError


class Histories(NamedTuple):
    """What this worker's users have interacted with.

    Attributes:
        users: Embedding row of each user, ascending, int64 [users].
        owners: Position in `users` of each interaction's user, ascending, int64 [interactions].
        items: Embedding row of each interaction's item, in time order within a user, int64
            [interactions].
    """

    users: np.ndarray
    owners: np.ndarray
    items: np.ndarray


class Candidates(NamedTuple):
    """The lists to rank.

    Attributes:
        users: Embedding row of each list's user, int64 [lists].
        items: Embedding rows, the held-out item in the first column, int64 [lists, longest].
        present: Whether there is a candidate, since lists may differ in length, bool
            [lists, longest].
    """

    users: np.ndarray
    items: np.ndarray
    present: np.ndarray


class RankingData(NamedTuple):
    """What a model is trained and evaluated on.

    Attributes:
        histories: Those that this worker trains on.
        candidates: This worker's lists to evaluate on.
        num_users: Users in the vocabulary.
        num_items: Items in the vocabulary.
    """

    histories: Histories
    candidates: Candidates
    num_users: int
    num_items: int


def read_histories(patterns: Sequence[str], context: tf.distribute.InputContext) -> Histories:
    """Reads the transformed train split, or this worker's part of it.

    Args:
        patterns: Files, or patterns of them.
        context: Which part to read.

    Raises:
        UserError: There is no interaction.
    """
    rows, items, _, lengths = _read(patterns, context)
    # Examples are sorted, not their interactions, which are a hundred times as many.
    order = np.argsort(rows, kind="stable")
    users, owner = np.unique(rows[order], return_inverse=True)
    starts, lengths = _starts(lengths)[order], lengths[order]
    moved = np.repeat(starts - _starts(lengths), lengths)
    return Histories(users, np.repeat(owner, lengths), items[np.arange(len(items)) + moved])


def read_candidates(patterns: Sequence[str], context: tf.distribute.InputContext) -> Candidates:
    """Reads the transformed eval split, or this worker's part of it.

    Args:
        patterns: Files, or patterns of them.
        context: Which part to read.

    Raises:
        UserError: There is no list, or one without exactly one label above 0.
    """
    rows, items, labels, lengths = _read(patterns, context)
    lists = np.repeat(np.arange(len(rows)), lengths)
    positives = np.bincount(lists[labels > 0], minlength=len(rows))
    if (positives != 1).any():
        raise UserError(
            f"split eval: the list of user row {rows[positives != 1][0]} has "
            f"{positives[positives != 1][0]} candidates labelled 1: it must have exactly one"
        )
    column = np.arange(len(items)) - np.repeat(_starts(lengths), lengths)
    # The held-out item goes to the front, and what stood before it moves up by one.
    column = np.where(labels > 0, 0, column + (column < column[labels > 0][lists]))
    padded = np.zeros((len(rows), lengths.max()), np.int64)
    present = np.zeros(padded.shape, bool)
    padded[lists, column] = items
    present[lists, column] = True
    return Candidates(rows, padded, present)


def _starts(lengths: np.ndarray) -> np.ndarray:
    """Returns where each of some lists begins in their concatenation."""
    return np.cumsum(lengths) - lengths


def _read(
    patterns: Sequence[str], context: tf.distribute.InputContext
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns user rows [n], flat item rows and labels, and the lists' lengths [n]."""
    spec = {
        features.USER_ROW: tf.io.FixedLenFeature([1], tf.int64),
        features.ITEM_ROW: tf.io.RaggedFeature(tf.int64),
        features.LABEL: tf.io.RaggedFeature(tf.float32),
    }
    columns = [
        (
            block[features.USER_ROW][:, 0],
            block[features.ITEM_ROW].flat_values,
            block[features.LABEL].flat_values,
            block[features.ITEM_ROW].row_lengths(),
        )
        for block in read_examples(patterns, spec, context)
    ]
    rows, items, labels, lengths = (np.concatenate(column) for column in zip(*columns, strict=True))
    return rows, items, labels, lengths
