"""A validation part of the training data: each user's last item, among sampled negatives."""

import numpy as np

from components.ncf_trainer.data import Candidates, Histories
from transforms.base.errors import UserError
from transforms.sample_negatives import sample_negatives

_NEGATIVES = 100


def hold_out_last(histories: Histories, num_items: int, seed: int) -> tuple[Histories, Candidates]:
    """Takes each user's last item out of the histories, as `holdout=validation` does.

    It is to be ranked among 100 items that the user has not touched in the train split. The item
    that the eval split holds out may be one of them: nothing of that split is looked at.

    Args:
        histories: The train split. A user with a single item keeps it and is not ranked.
        num_items: Items in the vocabulary; histories hold no others.
        seed: Determines the negatives.

    Returns:
        What is left to train on, and the lists to rank.

    Raises:
        UserError: Every user has a single item.
    """
    counts = np.bincount(histories.owners)
    ends = np.cumsum(counts)
    ranked = counts > 1
    if not ranked.any():
        raise UserError(
            "tune=True: every user has one item to train on, and none can be held out; "
            "raise min_ratings, or do not tune"
        )
    offsets = np.concatenate([[0], ends])
    limits, negatives = sample_negatives(
        seed, histories.users, offsets, histories.items, num_items, _NEGATIVES
    )
    drawn = np.diff(limits)
    items = np.zeros((len(ranked), 1 + drawn.max()), np.int64)
    present = np.arange(items.shape[1]) <= drawn[:, np.newaxis]
    items[:, 0] = histories.items[ends - 1]
    items[:, 1:][present[:, 1:]] = negatives
    left = np.ones(len(histories.items), bool)
    left[ends[ranked] - 1] = False
    return (
        Histories(histories.users, histories.owners[left], histories.items[left]),
        Candidates(histories.users[ranked], items[ranked], present[ranked]),
    )
