import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.remap_ids import DistinctIds, GroupByUser, dense_ids, distinct_ids, user_buckets

IDS = st.lists(st.one_of(st.integers(0, 9), st.integers(-(2**63), 2**63 - 1)), min_size=1)


@settings(max_examples=50, deadline=None)
@given(IDS)
def test_dense_ids_are_positions_among_the_sorted_distinct_ids(ids):
    raw = np.array(ids, np.int64)
    known = distinct_ids(raw)
    assert known.tolist() == sorted(set(ids))
    assert dense_ids(raw, known).tolist() == [sorted(set(ids)).index(i) for i in ids]


def test_buckets_are_even_and_follow_from_the_id_alone():
    users = np.arange(100_000)
    buckets = user_buckets(users, 7)
    assert np.abs(np.bincount(buckets, minlength=7) / 100_000 - 1 / 7).max() < 0.01
    assert user_buckets(users[42:43], 7)[0] == buckets[42]


@pytest.mark.parametrize("num_buckets", [1, 3, 300])
def test_a_batch_holds_whole_users_and_no_row_is_lost(num_buckets):
    rng = np.random.default_rng(0)
    user_id, item_id = rng.integers(0, 40, 1000), np.arange(1000)
    rows = sorted(zip(user_id.tolist(), item_id.tolist(), strict=True))
    whole = pa.RecordBatch.from_pydict({"item_id": item_id, "x": item_id, "user_id": user_id})

    def compare(batches: list[pa.RecordBatch]) -> None:
        assert len(batches) <= num_buckets
        found = [zip(*batch.to_pydict().values(), strict=True) for batch in batches]
        assert sorted(row for rows in found for row in rows) == rows
        users = [user for batch in batches for user in set(batch["user_id"].to_pylist())]
        assert len(users) == len(set(users))

    with beam.Pipeline(LOCAL_RUNNER) as pipeline:
        grouped = (
            pipeline
            | beam.Create([whole.slice(start, 90) for start in range(0, 1000, 90)])
            | GroupByUser(["user_id", "item_id"], num_buckets)
        )
        assert_that(grouped, compare)


@pytest.mark.parametrize("arrays", [[], [[3, 1], [1, 2**62]]])
def test_distinct_ids_are_merged_and_counted(arrays):
    expected = sorted({value for array in arrays for value in array})

    def compare(merged: list[np.ndarray]) -> None:
        assert [array.tolist() for array in merged] == [expected]

    pipeline = beam.Pipeline(LOCAL_RUNNER)
    create = beam.Create([np.array(array) for array in arrays]).with_output_types(np.ndarray)
    assert_that(pipeline | create | DistinctIds("things"), compare)
    result = pipeline.run()
    result.wait_until_finish()
    counters = result.metrics().query()["counters"]
    assert {c.key.metric.name: c.result for c in counters} == {"things": len(expected)}
