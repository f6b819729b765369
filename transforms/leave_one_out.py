"""Leave-one-out: an interaction of each user is held out, and none after it is trained on."""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.base.hashing import hash_uint64
from transforms.remap_ids import dense_ids, distinct_ids
from transforms.sort_rows import sort_rows

HISTORY_COLUMNS = pa.schema(
    [
        ("user_id", pa.int64()),
        ("train", pa.list_(pa.int64())),
        ("held_out", pa.int64()),
        ("later", pa.list_(pa.int64())),
    ]
)


class Histories(NamedTuple):
    """Kept users and their items: user `u` has `item_id[offsets[u] : offsets[u + 1]]`.

    Attributes:
        user_id: int64[users], ascending.
        offsets: int64[users + 1].
        item_id: int64[interactions], each user's in order of time.
        held_out: Where in `item_id` each user's held-out item is, int64[users]; where the user's
            items end, if there is none.
        tied_users: How many users have another item at the time of the held-out one, so that an id
            decided between them.
        timeless_users: How many users have several items, all of one time, so that a hash decided.
        dropped_users: How many users had too few interactions, or none to train on.
        dropped_rows: How many interactions they had, repeats not counted.
        repeats: How many interactions were an earlier rating of the same item by the same user.
    """

    user_id: np.ndarray
    offsets: np.ndarray
    item_id: np.ndarray
    held_out: np.ndarray
    tied_users: int
    timeless_users: int
    dropped_users: int
    dropped_rows: int
    repeats: int


def leave_one_out(
    user_id: np.ndarray,
    item_id: np.ndarray,
    timestamp: np.ndarray,
    min_ratings: int,
    hold_back: int = 1,
    split_time: int | None = None,
) -> Histories:
    """Orders each user's items by (timestamp, item id), and finds the one to hold out.

    A (user, item) pair counts once, at its latest timestamp. Users with fewer than `min_ratings`
    distinct items are dropped, and those with none before the held-out one. Where all of a user's
    items have one time, a hash orders them: ids would tell new items from old ones.

    Args:
        user_id: int64[n]; all rows of a user that appears have to be there.
        item_id: int64[n].
        timestamp: int64[n], in any unit.
        min_ratings: The fewest items that a kept user has, at least 1.
        hold_back: Which item to hold out: 1 is the last, 2 the one before it.
        split_time: In the unit of `timestamp`: 1 is then the first item from this time on, if there
            is one, and 2 the last before it.
    """
    known_users = distinct_ids(user_id)
    # Dense users leave more of sort_rows's bits to the other columns.
    user, timestamp, item_id = sort_rows(dense_ids(user_id, known_users), timestamp, item_id)
    latest = _latest_of_pair(user, item_id)
    repeats = len(user) - int(np.count_nonzero(latest))
    if repeats:
        user, timestamp, item_id = user[latest], timestamp[latest], item_id[latest]

    counts = np.bincount(user)
    trained = counts - hold_back
    if split_time is not None:
        trained = np.bincount(user[timestamp < split_time], minlength=len(counts)) + 1 - hold_back
    kept = (counts >= min_ratings) & (trained > 0)
    if not kept.all():
        rows = np.repeat(kept, counts)
        timestamp, item_id = timestamp[rows], item_id[rows]
    offsets = np.concatenate([[0], np.cumsum(counts[kept])])
    held_out = offsets[:-1] + trained[kept]
    timeless = timestamp[offsets[:-1]] == timestamp[offsets[1:] - 1]
    timeless &= np.diff(offsets) > 1
    if timeless.any():
        item_id = _shuffled(known_users[kept], offsets, item_id, timeless)
    return Histories(
        user_id=known_users[kept],
        offsets=offsets,
        item_id=item_id,
        held_out=held_out,
        tied_users=_count_ties(timestamp, held_out[~timeless], offsets[1:][~timeless]),
        timeless_users=int(np.count_nonzero(timeless)),
        dropped_users=int(np.count_nonzero(~kept)),
        dropped_rows=int(counts[~kept].sum()),
        repeats=repeats,
    )


def _shuffled(
    user_id: np.ndarray, offsets: np.ndarray, item_id: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """Returns the items with those of the chosen users in the order of a hash."""
    user = np.repeat(np.arange(len(user_id)), np.diff(offsets))
    rows = np.flatnonzero(chosen[user])
    user = user[rows]
    order = np.lexsort((hash_uint64(user_id[user], item_id[rows]), user))
    item_id = item_id.copy()
    item_id[rows] = item_id[rows][order]
    return item_id


def _count_ties(timestamp: np.ndarray, held_out: np.ndarray, ends: np.ndarray) -> int:
    """Returns of how many users an item before or after the held-out one has the same time."""
    there = held_out < ends
    held_out, ends = held_out[there], ends[there]
    tied = timestamp[held_out] == timestamp[held_out - 1]
    following = np.minimum(held_out + 1, ends - 1)
    tied |= (following > held_out) & (timestamp[held_out] == timestamp[following])
    return int(np.count_nonzero(tied))


def _latest_of_pair(user: np.ndarray, item_id: np.ndarray) -> np.ndarray:
    """Returns bool[n]: False where a later row has the same user and item."""
    user, item_id, row = sort_rows(user, item_id, np.arange(len(user)))
    latest = np.ones(len(row), bool)
    latest[row[:-1]] = (user[1:] != user[:-1]) | (item_id[1:] != item_id[:-1])
    return latest


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class LeaveOneOut(beam.PTransform):
    """Turns interactions, in batches of whole users, into one row per user: `HISTORY_COLUMNS`.

    `train` has the user's items in order of time up to the held-out one, `held_out` is that item,
    null if there is none, and `later` are those after it, which are neither trained on nor a
    negative of this user. Counts `leave_one_out/users`, of which `evaluated_users` have a held-out
    item and `tied_users` others at its time, `timeless_users`, `kept_rows`, `dropped_users`,
    `dropped_rows` and `repeats`; kept and dropped rows and repeats are all rows.

    Args:
        min_ratings: Users with fewer distinct items are dropped.
        hold_back: Which interaction to hold out: 1 is the last; 2 is the one before it, to tune on
            without a look at the last.
        split_time: Holds out by time instead, as `leave_one_out` does.
    """

    def __init__(self, min_ratings: int, hold_back: int = 1, split_time: int | None = None):
        super().__init__()
        self._find = functools.partial(
            leave_one_out, min_ratings=min_ratings, hold_back=hold_back, split_time=split_time
        )

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[pa.RecordBatch]:
        """Returns a batch of histories for each batch that has a kept user."""
        return batches | beam.ParDo(_HoldOut(self._find))


class _HoldOut(beam.DoFn):
    def __init__(self, find: Callable[[np.ndarray, np.ndarray, np.ndarray], Histories]):
        self._find = find

    def setup(self) -> None:
        self._counters = {
            name: beam.metrics.Metrics.counter("leave_one_out", name)
            for name in (
                *("users", "evaluated_users", "tied_users", "timeless_users", "kept_rows"),
                *("dropped_users", "dropped_rows", "repeats"),
            )
        }

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        histories = self._find(
            *(batch[name].to_numpy() for name in ("user_id", "item_id", "timestamp"))
        )
        self._counters["users"].inc(len(histories.user_id))
        self._counters["kept_rows"].inc(len(histories.item_id))
        for name in (
            *("tied_users", "timeless_users"),
            *("dropped_users", "dropped_rows", "repeats"),
        ):
            self._counters[name].inc(getattr(histories, name))
        if len(histories.user_id):
            split = _hold_out(histories)
            self._counters["evaluated_users"].inc(split.num_rows - split["held_out"].null_count)
            yield split


def _hold_out(histories: Histories) -> pa.RecordBatch:
    starts, ends = histories.offsets[:-1], histories.offsets[1:]
    held_out = histories.held_out
    position = np.arange(len(histories.item_id)) - np.repeat(held_out, ends - starts)
    none = held_out == ends
    return pa.RecordBatch.from_arrays(
        [
            pa.array(histories.user_id),
            _lists(held_out - starts, histories.item_id[position < 0]),
            pa.array(histories.item_id[np.where(none, starts, held_out)], mask=none),
            _lists(ends - held_out - ~none, histories.item_id[position > 0]),
        ],
        schema=HISTORY_COLUMNS,
    )


def _lists(lengths: np.ndarray, values: np.ndarray) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, values)
