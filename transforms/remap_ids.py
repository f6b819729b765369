"""Dense ids from raw ones: a global table for items, whole users in buckets instead of one."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.base.hashing import hash_uint64


def distinct_ids(raw: np.ndarray) -> np.ndarray:
    """Returns the distinct values of int64[n], ascending, by a hash table and not by sorting."""
    return np.sort(pc.unique(pa.array(raw)).to_numpy())


def dense_ids(raw: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Returns the positions of raw ids in a sorted table of distinct ids.

    Args:
        raw: int64[n], each of them in `known`.
        known: int64[m], ascending and distinct; an id's position is its dense id.
    """
    low, high = int(known[0]), int(known[-1])
    # MovieLens ids are small numbers, for which a table is ten times faster than a search.
    if high - low > 64 * len(known) + (1 << 20):
        return np.searchsorted(known, raw)
    table = np.zeros(high - low + 1, np.int64)
    table[known - low] = np.arange(len(known))
    return table[raw - low]


def user_buckets(user_id: np.ndarray, num_buckets: int) -> np.ndarray:
    """Returns the bucket, in [0, num_buckets), of each user: a hash of the id alone."""
    return (hash_uint64(user_id) % np.uint64(num_buckets)).astype(np.int64)


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class GroupByUser(beam.PTransform):
    """Regroups record batches with a `user_id` column so that a batch holds whole users.

    Rows come in no particular order. How users are spread over batches is no part of the result:
    the number of buckets bounds the memory of a worker and nothing else.

    Args:
        columns: The columns to keep; `user_id` is one of them.
        num_buckets: How many batches to make of the input, at least 1.
    """

    def __init__(self, columns: list[str], num_buckets: int):
        super().__init__()
        self._columns = columns
        self._num_buckets = num_buckets

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[pa.RecordBatch]:
        """Returns a batch for each bucket that has a user."""
        return (
            batches
            | "Cut" >> beam.FlatMap(_cut, self._columns, self._num_buckets)
            | "Group" >> beam.GroupByKey()
            | "Join" >> beam.MapTuple(_join)
        )


def _cut(
    batch: pa.RecordBatch, columns: list[str], num_buckets: int
) -> Iterator[tuple[int, bytes]]:
    """Yields each bucket's rows of `batch`, as Arrow's stream format."""
    bucket = user_buckets(batch["user_id"].to_numpy(), num_buckets)
    # The narrowest type makes the stable sort a radix sort.
    order = np.argsort(bucket.astype(np.min_scalar_type(num_buckets)), kind="stable")
    edges = np.searchsorted(bucket[order], np.arange(num_buckets + 1))
    kept = pa.RecordBatch.from_arrays(
        [batch[name].take(pa.array(order)) for name in columns], columns
    )
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    for key in range(num_buckets):
        rows = edges[key + 1] - edges[key]
        if rows:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, kept.schema, options=options) as writer:
                writer.write_batch(kept.slice(edges[key], rows))
            yield key, sink.getvalue().to_pybytes()


def _join(key: int, pieces: Iterable[bytes]) -> pa.RecordBatch:
    del key
    batches = [pa.ipc.open_stream(piece).read_next_batch() for piece in pieces]
    table = pa.Table.from_batches(batches).combine_chunks()
    return table.to_batches()[0]


@beam.typehints.with_input_types(np.ndarray)
@beam.typehints.with_output_types(np.ndarray)
class DistinctIds(beam.PTransform):
    """Reduces int64 arrays of ids to one array: all distinct ids, ascending.

    Args:
        counter: The name, within `distinct_ids`, of the counter of what is left.
    """

    def __init__(self, counter: str):
        super().__init__()
        self._counter = counter

    def expand(self, ids: beam.PCollection[np.ndarray]) -> beam.PCollection[np.ndarray]:
        """Returns a singleton."""
        return ids | beam.CombineGlobally(_distinct) | "Count" >> beam.Map(_count, self._counter)


def _distinct(arrays: Iterable[np.ndarray]) -> np.ndarray:
    return distinct_ids(np.concatenate([np.empty(0, np.int64), *arrays]))


def _count(distinct: np.ndarray, counter: str) -> np.ndarray:
    beam.metrics.Metrics.counter("distinct_ids", counter).inc(len(distinct))
    return distinct
