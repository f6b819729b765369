import json

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.base.hashing import hash_uint64
from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.leave_one_out import HISTORY_COLUMNS
from transforms.sample_negatives import (
    CANDIDATE_COLUMNS,
    SampleNegatives,
    sample_negatives,
    sample_ranks,
)

# The 99.99th percentile of chi-square with 14, 9 and 119 degrees of freedom.
CHI_SQUARE = {14: 42.6, 9: 33.7, 119: 185.4}


def chi_square(counts: np.ndarray) -> float:
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum())


def plain_negatives(seed: int, user: int, touched: set[int], num_items: int, count: int):
    """Floyd's algorithm on an explicit list of the untouched items, one user at a time."""
    untouched = [item for item in range(num_items) if item not in touched]
    chosen: list[int] = []
    lowest = max(len(untouched) - count, 0)
    for step in range(min(count, len(untouched))):
        limit = lowest + step
        pick = int(hash_uint64(seed, user, step)) % (limit + 1)
        chosen.append(limit if pick in chosen else pick)
    return [untouched[rank] for rank in chosen]


def draw(seed: int, users: list[tuple[int, list[int]]], num_items: int, count: int):
    offsets, negatives = sample_negatives(
        seed,
        np.array([user for user, _ in users], np.int64),
        np.cumsum([0] + [len(touched) for _, touched in users]),
        np.array([item for _, touched in users for item in touched], np.int64),
        num_items,
        count,
    )
    return [part.tolist() for part in np.split(negatives, offsets[1:-1])]


NUM_ITEMS = 15
USERS = st.dictionaries(
    st.integers(-(2**63), 2**63 - 1),
    st.lists(st.integers(0, NUM_ITEMS - 1), min_size=1, unique=True),
    min_size=1,
    max_size=8,
).map(lambda histories: list(histories.items()))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**40), USERS, st.integers(1, 20))
def test_negatives_are_distinct_untouched_and_as_many_as_asked_or_there_are(seed, users, count):
    for (_, touched), negatives in zip(users, draw(seed, users, NUM_ITEMS, count), strict=True):
        assert len(negatives) == len(set(negatives)) == min(count, NUM_ITEMS - len(touched))
        assert not set(negatives) & set(touched)
        assert set(negatives) <= set(range(NUM_ITEMS))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**40), USERS, st.integers(1, 20))
def test_negatives_equal_a_plain_rendering_one_user_at_a_time(seed, users, count):
    expected = [plain_negatives(seed, user, set(items), NUM_ITEMS, count) for user, items in users]
    assert draw(seed, users, NUM_ITEMS, count) == expected
    # So they depend neither on the company nor on its order.
    assert draw(seed, users[::-1], NUM_ITEMS, count) == expected[::-1]


def test_all_chunks_of_the_bitmap_are_drawn_alike(monkeypatch):
    users = np.arange(50)
    whole = sample_ranks(3, users, np.arange(30, 80), 20)
    monkeypatch.setattr("transforms.sample_negatives._BITMAP_BYTES", 600)
    np.testing.assert_array_equal(sample_ranks(3, users, np.arange(30, 80), 20), whole)


def test_each_untouched_item_is_as_likely_as_any_other():
    touched = [0, 3, 4, 5, 11]
    counts = np.zeros(20)
    for seed in range(3000):
        np.add.at(counts, draw(seed, [(7, touched)], 20, 4)[0], 1)
    assert counts[touched].sum() == 0
    # Draws without replacement vary less than independent ones: the bound is on the safe side.
    assert chi_square(np.delete(counts, touched)) < CHI_SQUARE[14]


def test_each_set_of_items_is_as_likely_as_any_other():
    ranks = np.sort(sample_ranks(0, np.arange(60_000), np.full(60_000, 10), 3), axis=1)
    _, counts = np.unique(ranks @ [100, 10, 1], return_counts=True)
    assert len(counts) == 120
    assert chi_square(counts) < CHI_SQUARE[119]


def test_users_and_seeds_draw_independently():
    first = sample_ranks(1, np.arange(30_000), np.full(30_000, 10), 1)[:, 0]
    for other in (
        sample_ranks(2, np.arange(30_000), np.full(30_000, 10), 1)[:, 0],
        np.roll(first, 1),
    ):
        assert chi_square(np.bincount((first - other) % 10, minlength=10)) < CHI_SQUARE[9]


@pytest.mark.parametrize("batch_rows", [1, 4])
def test_candidates_are_raw_ids_with_the_held_out_item_first(batch_rows):
    items = np.array([-5, 10, 20, 30, 40, 2**50])
    histories = pa.RecordBatch.from_pylist(
        [
            {"user_id": 1, "train": [20, 10], "held_out": 40, "later": [30]},
            {"user_id": -(2**60), "train": [10], "held_out": -5, "later": []},
            {"user_id": 3, "train": [-5, 10, 20, 30, 40], "held_out": 2**50, "later": []},
            {"user_id": 4, "train": [10], "held_out": None, "later": []},
        ],
        schema=HISTORY_COLUMNS,
    )

    def compare(batches: list[pa.RecordBatch]) -> None:
        assert all(batch.schema == CANDIDATE_COLUMNS for batch in batches)
        rows = {row["user_id"][0]: row for batch in batches for row in batch.to_pylist()}
        assert 4 not in rows  # There is nothing to rank.
        assert rows[1]["item_id"][0] == 40
        assert sorted(rows[1]["item_id"][1:]) == [-5, 2**50]
        assert rows[-(2**60)]["item_id"][0] == -5
        assert len(set(rows[-(2**60)]["item_id"][1:]) & {20, 30, 40, 2**50}) == 3
        assert rows[3]["item_id"] == [2**50]
        assert [rows[user]["history"] for user in (1, -(2**60))] == [[20, 10], [10]]
        assert [row["label"] for row in rows.values()] == [
            [1.0] + [0.0] * (len(row["item_id"]) - 1) for row in rows.values()
        ]

    pipeline = beam.Pipeline(LOCAL_RUNNER)
    batches = [histories.slice(start, batch_rows) for start in range(0, 4, batch_rows)]
    singleton = pipeline | "Items" >> beam.Create([items])
    sample = SampleNegatives(singleton, count=3, enough=2, seed=0)
    assert_that(pipeline | beam.Create(batches) | sample, compare)
    result = pipeline.run()
    result.wait_until_finish()
    counts = {c.key.metric.name: c.result for c in result.metrics().query()["counters"]}
    # They get 2, 3 and none.
    assert counts == {"ranked_users": 2, "full_ranked_users": 3, "fewer_negatives": 2}
    (most,) = result.metrics().query()["distributions"]
    assert (most.key.metric.name, most.result.max) == ("most_negatives", 3)


def candidates(folder, histories, full_users, seed=0, batch_rows=1000):
    """Rows by user, and the counters."""
    path = folder / "rows.json"

    def keep(batches):
        path.write_text(json.dumps([row for batch in batches for row in batch.to_pylist()]))

    pipeline = beam.Pipeline(LOCAL_RUNNER)
    batches = [
        histories.slice(start, batch_rows) for start in range(0, histories.num_rows, batch_rows)
    ]
    singleton = pipeline | "Items" >> beam.Create([np.arange(50)])
    sample = SampleNegatives(singleton, 20, 10, seed, full_users)
    assert_that(pipeline | beam.Create(batches) | sample, keep)
    result = pipeline.run()
    result.wait_until_finish()
    counts = {c.key.metric.name: c.result for c in result.metrics().query()["counters"]}
    return {row["user_id"][0]: row for row in json.loads(path.read_text())}, counts


def test_about_as_many_users_as_asked_have_a_history_and_the_same_ones_whatever_the_seed(
    tmp_path,
):
    histories = pa.RecordBatch.from_pylist(
        [
            {"user_id": 7 * user, "train": [user % 9, 10], "held_out": held_out, "later": []}
            for user in range(4000)
            # Those with nothing held out do not count.
            for held_out in [20 if user % 2 else None]
        ],
        schema=HISTORY_COLUMNS,
    )
    every, counts = candidates(tmp_path, histories, 0)
    assert counts["full_ranked_users"] == len(every) == 2000
    assert candidates(tmp_path, histories, 2000) == (every, counts)
    some, counts = candidates(tmp_path, histories, 500)
    drawn = {user for user, row in some.items() if row["history"]}
    # Of a binomial distribution, within five standard deviations.
    assert counts["full_ranked_users"] == len(drawn) and abs(len(drawn) - 500) < 97
    emptied = {user: row | {"history": []} for user, row in every.items() if user not in drawn}
    assert some == every | emptied
    again, _ = candidates(tmp_path, histories, 500, seed=1, batch_rows=333)
    assert {user for user, row in again.items() if row["history"]} == drawn
    fewer, _ = candidates(tmp_path, histories, 300)
    assert {user for user, row in fewer.items() if row["history"]} < drawn
