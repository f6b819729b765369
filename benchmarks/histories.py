"""The interactions of a ratings file as the trainer keeps them, without the way through TFX."""

import glob
import os

import numpy as np

from components.ncf_trainer.data import Histories
from transforms.leave_one_out import leave_one_out
from transforms.read_ratings import find_tables, read_range
from transforms.remap_ids import dense_ids, distinct_ids

_MIN_RATINGS = 20


def save_histories(folder: str, path: str) -> None:
    """Writes, as a .npz file, what the ratings in `folder` leave to train on."""
    (table,) = find_tables(f"{glob.escape(folder)}/*", {})
    ratings, _ = read_range(table, table.start, table.size)
    user, item, timestamp = (
        ratings[name].to_numpy() for name in ("user_id", "item_id", "timestamp")
    )
    kept = leave_one_out(user, item, timestamp, _MIN_RATINGS)
    owners = np.repeat(np.arange(len(kept.user_id)), np.diff(kept.offsets))
    trained = np.ones(len(owners), bool)
    trained[kept.offsets[1:] - 1] = False
    known = distinct_ids(kept.item_id)
    with open(f"{path}.part", "wb") as file:
        np.savez(
            file,
            owners=owners[trained].astype(np.int32),
            items=dense_ids(kept.item_id, known)[trained].astype(np.int32),
            num_items=len(known),
        )
    os.rename(f"{path}.part", path)


def load_histories(path: str, share: float = 1.0) -> tuple[Histories, int]:
    """Returns what `save_histories` wrote, and the number of items.

    Args:
        path: The file.
        share: Keep about this part of the interactions, and all users and items.
    """
    with np.load(path) as saved:
        owners, items = saved["owners"].astype(np.int64), saved["items"].astype(np.int64)
        num_items = int(saved["num_items"])
    users = np.arange(owners[-1] + 1)
    if share < 1:
        kept = np.random.default_rng(0).random(len(owners)) < share
        owners, items = owners[kept], items[kept]
    return Histories(users, owners, items), num_items
