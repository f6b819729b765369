"""Joins ratings with the genres of their movies."""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.base.errors import UserError
from transforms.vectorize_genres import GenreTable

_MOST_NAMED = 5
"""How many movies a message names."""

_Unmatched = tuple[int, list[int]]
"""How many ratings have no movie, and the least of the missing ids."""


def find_rows(item_id: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns where ids stand in a table, int64[n], and whether they do, bool[n].

    Args:
        item_id: int64[n].
        known: int64[m], ascending, m above 0.
    """
    rows = np.minimum(np.searchsorted(known, item_id), len(known) - 1)
    return rows, known[rows] == item_id


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class JoinMovies(beam.PTransform):
    """Adds to batches with an `item_id` a column `genres`, list<int64> of 19 in each row.

    Ratings whose movie is not in the table are left out and counted as `join_movies/unmatched`.

    Args:
        movies: A singleton: the movies' genres. It is a side input, and small: ml-20m's has 4 MB.
        max_unmatched: How many ratings may be left out; with more the pipeline fails with a
            UserError that names some of the movies.
    """

    def __init__(self, movies: beam.PCollection[GenreTable], max_unmatched: int):
        super().__init__()
        self._movies = movies
        self._max_unmatched = max_unmatched

    def expand(self, ratings: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[pa.RecordBatch]:
        """Returns a batch for each that has a rating with a movie."""
        joined = ratings | "Join" >> beam.ParDo(
            _Join(), beam.pvalue.AsSingleton(self._movies)
        ).with_outputs("unmatched", main="joined")
        _ = (
            joined.unmatched
            | "Sum" >> beam.CombineGlobally(_sum).without_defaults()
            | "Bound" >> beam.Map(_bound, self._max_unmatched)
        )
        return joined.joined


class _Join(beam.DoFn):
    def setup(self) -> None:
        self._unmatched = beam.metrics.Metrics.counter("join_movies", "unmatched")

    # Any: Beam would take a union with TaggedOutput for the type of the main output.
    def process(self, ratings: pa.RecordBatch, movies: GenreTable) -> Iterator[Any]:
        item_id = ratings["item_id"].to_numpy()
        rows, known = find_rows(item_id, movies.item_id)
        if not known.all():
            missing = item_id[~known]
            self._unmatched.inc(len(missing))
            least = np.unique(missing)[:_MOST_NAMED].tolist()
            yield beam.pvalue.TaggedOutput("unmatched", (len(missing), least))
            ratings = ratings.filter(pa.array(known))
            rows = rows[known]
        if len(rows):
            width = movies.genres.shape[1]
            offsets = np.arange(len(rows) + 1, dtype=np.int32) * width
            genres = pa.ListArray.from_arrays(offsets, movies.genres[rows].ravel())
            yield pa.RecordBatch.from_arrays(
                [*ratings.columns, genres], [*ratings.schema.names, "genres"]
            )


def _sum(parts: Iterable[_Unmatched]) -> _Unmatched:
    count, named = 0, set[int]()
    for more, ids in parts:
        count += more
        named.update(ids)
    return count, sorted(named)[:_MOST_NAMED]


def _bound(unmatched: _Unmatched, most: int) -> None:
    count, named = unmatched
    if count > most:
        raise UserError(
            f"{count} ratings are of movies that the movies file lacks, such as "
            f"{', '.join(map(str, named))}; add the movies, or set max_unmatched={count} to leave "
            "these ratings out"
        )
