import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.base.hashing import hash_uint64
from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.leave_one_out import HISTORY_COLUMNS, LeaveOneOut, leave_one_out

ROWS = st.lists(
    st.tuples(st.integers(-2, 4), st.integers(1, 8), st.one_of(st.integers(0, 5), st.just(2**40))),
    min_size=1,
    max_size=60,
)


def order_of(user: int, times: dict[int, int]):
    """Returns by what, before its id, an item of a user comes: its time, or a hash."""
    if len(times) > 1 and len({*times.values()}) == 1:
        return lambda item: (int(hash_uint64(user, item)), item)
    return lambda item: (times[item], item)


def plain_histories(rows: list[tuple], min_ratings: int) -> tuple[dict[int, list[int]], int]:
    """Returns each kept user's items in order of time, and how many users were dropped."""
    latest: dict[int, dict[int, int]] = {}
    for user, item, time in rows:
        times = latest.setdefault(user, {})
        times[item] = max(time, times.get(item, time))
    ordered = {
        user: [item for _, item in sorted(map(order_of(user, times), times))]
        for user, times in latest.items()
    }
    fewest = max(2, min_ratings)  # One to train on, one to hold out.
    kept = {user: items for user, items in ordered.items() if len(items) >= fewest}
    return kept, len(ordered) - len(kept)


def columns(rows: list[tuple]) -> list[np.ndarray]:
    return [np.array(column, np.int64) for column in zip(*rows, strict=True)]


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(1, 6))
def test_histories_equal_a_plain_rendering_of_the_rule(rows, min_ratings):
    expected, dropped_users = plain_histories(rows, min_ratings)
    histories = leave_one_out(*columns(rows), min_ratings)
    edges = zip(histories.offsets[:-1], histories.offsets[1:], strict=True)
    found = [histories.item_id[start:end].tolist() for start, end in edges]
    assert dict(zip(histories.user_id.tolist(), found, strict=True)) == expected
    assert histories.dropped_users == dropped_users
    assert histories.repeats == len(rows) - len({row[:2] for row in rows})
    assert len(rows) == len(histories.item_id) + histories.repeats + histories.dropped_rows


@settings(max_examples=20, deadline=None)
@given(ROWS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    for found, expected in zip(
        leave_one_out(*columns(shuffled), 2), leave_one_out(*columns(rows), 2), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("hold_back", "expected"),
    [
        (1, {"user_id": 7, "train": [5, 3, 8], "held_out": 9, "later": []}),
        (2, {"user_id": 7, "train": [5, 3], "held_out": 8, "later": [9]}),
    ],
)
def test_one_item_is_held_out_by_time_then_by_item(hold_back, expected):
    # Item 3 was rated again at time 4; items 8 and 9 in the same second; user 1 has too few.
    rows = [(7, 9, 6), (7, 3, 1), (7, 8, 6), (1, 3, 1), (7, 5, 2), (7, 3, 4), (1, 5, 2)]
    batch = pa.RecordBatch.from_arrays(columns(rows), ["user_id", "item_id", "timestamp"])

    def compare(batches: list[pa.RecordBatch]) -> None:
        assert [batch.schema for batch in batches] == [HISTORY_COLUMNS]
        assert batches[0].to_pylist() == [expected]

    pipeline = beam.Pipeline(LOCAL_RUNNER)
    histories = pipeline | beam.Create([batch]) | LeaveOneOut(min_ratings=4, hold_back=hold_back)
    assert_that(histories, compare)
    result = pipeline.run()
    result.wait_until_finish()
    counters = result.metrics().query()["counters"]
    assert {c.key.metric.name: c.result for c in counters} == {
        "users": 1,
        "evaluated_users": 1,
        "tied_users": 1,
        "timeless_users": 0,
        "kept_rows": 4,
        "dropped_users": 1,
        "dropped_rows": 2,
        "repeats": 1,
    }


@pytest.mark.parametrize(
    ("hold_back", "expected"),
    [
        (
            1,
            [
                {"user_id": 1, "train": [1, 2], "held_out": 3, "later": [4]},
                {"user_id": 2, "train": [1, 2, 3], "held_out": None, "later": []},
                {"user_id": 4, "train": [5], "held_out": 1, "later": [6]},
            ],
        ),
        (
            2,
            [
                {"user_id": 1, "train": [1], "held_out": 2, "later": [3, 4]},
                {"user_id": 2, "train": [1, 2], "held_out": 3, "later": []},
            ],
        ),
    ],
)
def test_by_time_nothing_from_then_on_is_trained_on(hold_back, expected):
    rows = [(1, 1, 7), (1, 2, 9), (1, 3, 10), (1, 4, 12), *((2, item, item) for item in (1, 2, 3))]
    # User 3 begins later, and item 1 of user 4 is rated again after all.
    rows += [(3, item, 20) for item in (1, 2, 3)]
    rows += [(4, 1, 3), (4, 5, 4), (4, 1, 10), (4, 6, 11)]
    batch = pa.RecordBatch.from_arrays(columns(rows), ["user_id", "item_id", "timestamp"])

    def compare(batches: list[pa.RecordBatch]) -> None:
        assert [batch.schema for batch in batches] == [HISTORY_COLUMNS]
        assert batches[0].to_pylist() == expected

    pipeline = beam.Pipeline(LOCAL_RUNNER)
    histories = pipeline | beam.Create([batch]) | LeaveOneOut(3, hold_back, split_time=10)
    assert_that(histories, compare)
    result = pipeline.run()
    result.wait_until_finish()
    found = {c.key.metric.name: c.result for c in result.metrics().query()["counters"]}
    kept, evaluated = len(expected), sum(row["held_out"] is not None for row in expected)
    assert (found["users"], found["evaluated_users"]) == (kept, evaluated)
    assert found["dropped_users"] == 4 - kept
    assert found["kept_rows"] + found["dropped_rows"] + found["repeats"] == len(rows)


@pytest.mark.parametrize(("hold_back", "ties"), [(1, {2}), (2, {2, 4, 5})])
def test_users_are_counted_whose_held_out_item_an_id_decided_on(hold_back, ties):
    times = {1: [1, 2, 3, 4], 2: [1, 2, 2, 2], 3: [5, 5, 5, 5], 4: [1, 3, 3, 4], 5: [1, 2, 2, 3]}
    rows = [
        (u, item, time) for u, all_times in times.items() for item, time in enumerate(all_times)
    ]
    # Of others that a user has too few of, nobody asks.
    rows += [(6, 1, 1), (6, 2, 1)]
    found = leave_one_out(*columns(rows), 3, hold_back)
    assert (found.tied_users, found.timeless_users) == (len(ties), 1)


def test_items_of_one_time_are_in_the_order_of_a_hash_that_the_user_changes():
    items, users = np.arange(20), range(2)
    rows = [(user, item, 7) for user in users for item in items] + [(2, 1, 1), (2, 2, 2)]
    found = leave_one_out(*columns(rows), 2)
    orders = [found.item_id[start : start + 20].tolist() for start in found.offsets[:2]]
    assert orders == [sorted(items, key=lambda item: hash_uint64(u, item)) for u in users]
    assert orders[0] != orders[1] and found.timeless_users == 2


def test_who_has_nothing_held_out_has_no_tie():
    rows = [(1, item, 7) for item in range(4)] + [(2, item, 9) for item in range(4)]
    rows += [(2, 9, 8), (3, 1, 6), (3, 2, 9), (3, 3, 10)]
    found = leave_one_out(*columns(rows), 3, split_time=9)
    assert found.user_id.tolist() == [1, 2, 3] and found.tied_users == 1
