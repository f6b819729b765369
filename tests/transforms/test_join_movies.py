import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.base.errors import find_user_error
from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.join_movies import JoinMovies, find_rows
from transforms.vectorize_genres import GenreTable

MOVIES = GenreTable(np.array([2, 5, 9]), np.arange(9).reshape(3, 3))
IDS = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=50, deadline=None)
@given(st.sets(IDS, min_size=1), st.lists(IDS))
def test_rows_of_ids_are_found(known, others):
    table = np.array(sorted(known), np.int64)
    ids = np.array([*known, *others], np.int64)
    rows, found = find_rows(ids, table)
    assert found.tolist() == [i in known for i in ids.tolist()]
    assert (table[rows[found]] == ids[found]).all()


def ratings(*item_id):
    return pa.RecordBatch.from_arrays(
        [pa.array(item_id, pa.int64()), pa.array([10 * i for i in item_id], pa.int64())],
        ["item_id", "user_id"],
    )


def join(batches, max_unmatched, check):
    pipeline = beam.Pipeline(LOCAL_RUNNER)
    movies = pipeline | "Movies" >> beam.Create([MOVIES])
    joined = pipeline | "Ratings" >> beam.Create(batches) | JoinMovies(movies, max_unmatched)
    assert_that(joined, check)
    result = pipeline.run()
    result.wait_until_finish()
    return sum(c.result for c in result.metrics().query()["counters"])


def rows(batches):
    found = [row for batch in batches for row in batch.to_pylist()]
    return sorted((row["item_id"], row["user_id"], *row["genres"]) for row in found)


def test_each_rating_gets_the_genres_of_its_movie():
    def check(batches):
        assert rows(batches) == [
            (2, 20, 0, 1, 2),
            (5, 50, 3, 4, 5),
            (5, 50, 3, 4, 5),
            (9, 90, 6, 7, 8),
        ]

    assert join([ratings(5, 2), ratings(9, 5)], 0, check) == 0


def test_ratings_without_a_movie_are_left_out_and_counted():
    def check(batches):
        assert rows(batches) == [(5, 50, 3, 4, 5)]

    assert join([ratings(5, 3), ratings(10, 1)], 3, check) == 3


def test_more_unmatched_ratings_than_allowed_are_refused_over_all_batches():
    with pytest.raises(Exception) as caught:
        join([ratings(5, 3), ratings(10, 1)], 2, lambda batches: None)
    message = str(find_user_error(caught.value))
    assert "3 ratings are of movies" in message and "1, 3, 10" in message
    assert "max_unmatched=3" in message and "\n" not in message
