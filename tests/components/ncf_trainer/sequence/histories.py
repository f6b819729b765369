"""Histories to test with."""

import numpy as np

from components.ncf_trainer.data import Histories


def histories_of(*lists, users=None):
    """Histories of items, of users 0, 1, … or of those given."""
    users = np.arange(len(lists)) if users is None else np.array(users)
    owners = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    return Histories(users, owners, np.concatenate([np.array(items, np.int64) for items in lists]))


def random_histories(users, items, seed=0):
    """Histories of 2 to `items` / 2 distinct items."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, items // 2, users)
    return histories_of(*(rng.permutation(items)[:length] for length in lengths))
