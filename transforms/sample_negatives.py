"""Negatives to rank a held-out item against: distinct items that the user has never touched."""

from collections.abc import Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.base.hashing import hash_uint64
from transforms.remap_ids import dense_ids

CANDIDATE_COLUMNS = pa.schema(
    [
        ("user_id", pa.list_(pa.int64())),
        ("item_id", pa.list_(pa.int64())),
        ("label", pa.list_(pa.float32())),
        ("history", pa.list_(pa.int64())),
    ]
)

_BITMAP_BYTES = 16 << 20


def sample_ranks(seed: int, user_id: np.ndarray, population: np.ndarray, count: int) -> np.ndarray:
    """Draws, for each user, `count` distinct numbers in [0, population), uniformly.

    This is Floyd's algorithm (Bentley and Floyd, "A sample of brilliance", CACM 1987), one step
    at a time for all users, so its cost depends on neither the population nor on luck. Every set
    is equally likely, up to the bias below 2^-40 of a 64-bit hash taken modulo fewer than 2^24.

    Args:
        seed: Any integer.
        user_id: int64[users]; with `seed` and the step's number it determines the draw.
        population: int64[users].
        count: How many to draw.

    Returns:
        int64[users, count]. A user whose population is smaller than `count` has all of it in the
        first `population` columns, and numbers beyond it in the rest.
    """
    drawn = np.empty((count, len(user_id)), np.int64)
    width = max(int(population.max(initial=0)), count)
    rows = max(1, _BITMAP_BYTES // width)
    taken = np.zeros((min(rows, len(user_id)), width), bool)
    step = np.arange(count)[:, None]
    for start in range(0, len(user_id), rows):
        chunk = slice(start, start + rows)
        user = np.arange(len(user_id[chunk]))
        limits = np.maximum(population[chunk] - count, 0) + step
        picks = hash_uint64(seed, user_id[chunk], step) % (limits + 1).astype(np.uint64)
        for limit, pick, chosen in zip(
            limits, picks.astype(np.int64), drawn[:, chunk], strict=True
        ):
            chosen[:] = np.where(taken[user, pick], limit, pick)
            taken[user, chosen] = True
        taken[user, drawn[:, chunk]] = False
    return drawn.T


def sample_negatives(
    seed: int,
    user_id: np.ndarray,
    offsets: np.ndarray,
    touched: np.ndarray,
    num_items: int,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws distinct items that a user has not touched, uniformly and without rejection.

    With a user's touched items ascending, s[0..k-1], s[j] - j never decreases, and the r-th of
    the items that are not touched is r + #{j: s[j] - j <= r}. Distinct r give distinct items.

    Args:
        seed: Any integer; equal seeds give a user equal negatives, whoever else is in the call.
        user_id: int64[users], distinct.
        offsets: int64[users + 1]; `touched[offsets[u] : offsets[u + 1]]` are user `u`'s items.
        touched: int64[offsets[-1]], dense ids in [0, num_items), distinct within a user.
        num_items: How many items there are.
        count: Negatives for a user; one with fewer untouched items gets all of those.

    Returns:
        The offsets, int64[users + 1], and the dense ids, int64, of each user's negatives.
    """
    touched_counts = np.diff(offsets)
    row_of = np.repeat(np.arange(len(user_id)), touched_counts)
    # One ascending array for all users: each has its own range of num_items + 1 numbers.
    key = row_of * (num_items + 1) + touched
    key.sort(kind="stable")
    key -= np.arange(len(key)) - np.repeat(offsets[:-1], touched_counts)

    rank = sample_ranks(seed, user_id, num_items - touched_counts, count)
    wanted = np.minimum(num_items - touched_counts, count)
    valid = np.arange(count) < wanted[:, None]
    row = np.repeat(np.arange(len(user_id)), wanted)
    rank = rank[valid]
    below = np.searchsorted(key, row * (num_items + 1) + rank, side="right") - offsets[row]
    return np.concatenate([[0], np.cumsum(wanted)]), rank + below


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class SampleNegatives(beam.PTransform):
    """Turns rows of `HISTORY_COLUMNS` that hold something out into rows of `CANDIDATE_COLUMNS`.

    A user's candidates are the held-out item, labelled 1, and then the negatives, labelled 0.
    `history` is what the user's train Example has, in order of time, so that the held-out item can
    be ranked among all others, too: that costs as many scores as there are items. It is empty for
    users who are not drawn for that, by a hash of their ids. Ids are raw ones. The records depend
    on the seed and the data alone, not on the runner.

    Counts `sample_negatives/ranked_users`, whose negatives are enough to rank among,
    `full_ranked_users`, who have a history, and `fewer_negatives`, users who get fewer than asked
    for; the distribution `most_negatives` is of how many a user gets.

    Args:
        items: A singleton, from `DistinctIds`: the items to draw from, which have to include
            all that a history holds.
        count: Negatives for a user.
        enough: How many of them say something of a model.
        seed: Any integer.
        full_users: About how many users have a history; all, if there are no more, or if it is 0.
    """

    def __init__(
        self,
        items: beam.PCollection[np.ndarray],
        count: int,
        enough: int,
        seed: int,
        full_users: int = 0,
    ):
        super().__init__()
        self._items = items
        self._fn = _Sample(count, enough, seed, full_users)

    def expand(
        self, histories: beam.PCollection[pa.RecordBatch]
    ) -> beam.PCollection[pa.RecordBatch]:
        """Returns a batch of candidates for each batch of histories."""
        users = histories | beam.Map(_count_held_out) | beam.CombineGlobally(sum)
        return histories | beam.ParDo(
            self._fn, beam.pvalue.AsSingleton(self._items), beam.pvalue.AsSingleton(users)
        )


class _Sample(beam.DoFn):
    def __init__(self, count: int, enough: int, seed: int, full_users: int):
        self._count = count
        self._enough = enough
        self._seed = seed
        self._full_users = full_users

    def setup(self) -> None:
        self._ranked_users, self._full_ranked_users, self._fewer_negatives = (
            beam.metrics.Metrics.counter("sample_negatives", name)
            for name in ("ranked_users", "full_ranked_users", "fewer_negatives")
        )
        self._most_negatives = beam.metrics.Metrics.distribution(
            "sample_negatives", "most_negatives"
        )

    def process(
        self, histories: pa.RecordBatch, items: np.ndarray, users: int
    ) -> Iterator[pa.RecordBatch]:
        histories = histories.filter(histories["held_out"].is_valid())
        # Of the ids alone, so that other negatives are ranked for the same users.
        hashes = hash_uint64(histories["user_id"].to_numpy()) % np.uint64(users or 1)
        drawn = hashes < np.uint64(self._full_users or users)
        candidates = _candidates(histories, items, self._count, self._seed, drawn)
        self._full_ranked_users.inc(int(np.count_nonzero(drawn)))
        negatives = np.diff(candidates["item_id"].offsets.to_numpy()) - 1
        self._ranked_users.inc(int(np.count_nonzero(negatives >= self._enough)))
        self._fewer_negatives.inc(int(np.count_nonzero(negatives < self._count)))
        self._most_negatives.update(int(negatives.max(initial=0)))
        yield candidates


def _candidates(
    histories: pa.RecordBatch, items: np.ndarray, count: int, seed: int, with_history: np.ndarray
) -> pa.RecordBatch:
    users = histories.num_rows
    user_id = histories["user_id"].to_numpy()
    held_out = histories["held_out"].to_numpy()
    rows, values = [np.arange(users)], [held_out]
    for name in ("train", "later"):
        column = histories[name]
        rows.append(np.repeat(np.arange(users), np.diff(column.offsets.to_numpy())))
        values.append(column.flatten().to_numpy())
    touched_rows = np.concatenate(rows)
    order = np.argsort(touched_rows, kind="stable")
    touched = dense_ids(np.concatenate(values)[order], items)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(touched_rows, minlength=users))])

    ends, negatives = sample_negatives(seed, user_id, offsets, touched, len(items), count)
    first = ends[:-1] + np.arange(users)
    item_id = np.insert(items[negatives], ends[:-1], held_out)
    label = np.zeros(len(item_id), np.float32)
    label[first] = 1
    candidate_offsets = (ends + np.arange(users + 1)).astype(np.int32)
    return pa.RecordBatch.from_arrays(
        [
            pa.ListArray.from_arrays(np.arange(users + 1, dtype=np.int32), user_id),
            pa.ListArray.from_arrays(candidate_offsets, item_id),
            pa.ListArray.from_arrays(candidate_offsets, label),
            _emptied(histories["train"], ~with_history),
        ],
        schema=CANDIDATE_COLUMNS,
    )


def _emptied(lists: pa.ListArray, chosen: np.ndarray) -> pa.ListArray:
    """Returns lists of which those chosen, bool [lists], have lost what they held."""
    lengths = np.where(chosen, 0, np.diff(lists.offsets.to_numpy()))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, lists.filter(pa.array(~chosen)).flatten())


def _count_held_out(histories: pa.RecordBatch) -> int:
    return int(histories.num_rows - histories["held_out"].null_count)
