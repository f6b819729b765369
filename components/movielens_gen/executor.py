"""Runs the Beam pipelines behind MovieLensExampleGen."""

import os
from collections.abc import Iterator, Sequence

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.executor import SPLITS, ColumnarExecutor
from components.movielens_gen.config import (
    GLOBAL_TIME,
    HOLD_BACK,
    LeaveOneOutConfig,
    RatingSplitConfig,
)
from components.ranking_metrics.rank import K
from transforms.base.errors import UserError
from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.base.memory import free_memory
from transforms.code_ids import CodeIds, NameIds, distinct_names
from transforms.join_movies import JoinMovies
from transforms.leave_one_out import LeaveOneOut
from transforms.list_by_user import ListByUser
from transforms.parsing.parse_ratings import RATING_COLUMNS
from transforms.parsing.rating_header import parse_columns
from transforms.parsing.rating_rules import STARS, interactions, on_scale, to_stars
from transforms.parsing.rating_table import RatingTable
from transforms.parsing.read_movies import find_movies, need_movies, read_movies
from transforms.read_ratings import ReadRatings, find_tables, read_as
from transforms.remap_ids import DistinctIds, GroupByUser, distinct_ids
from transforms.sample_negatives import SampleNegatives
from transforms.sort_rows import sort_rows
from transforms.split_by_time import SplitByTime
from transforms.split_ratings import SplitRatings
from transforms.vectorize_genres import VectorizeGenres

# Of the input, in one element of the pipeline: what bounds the memory of a worker.
_BLOCK_BYTES = 16 << 20

# Within this process Beam holds all that it groups: measured with 20 and with 100 million rows.
_BASE_BYTES = 1200 << 20
_MEMORY_PER_BYTE = 1.5
# The same with ratings and genres: measured with 20 million rows.
_MEMORY_PER_RATED_BYTE = 3.0
# About how many times its size a packed file of ratings has unpacked.
_PACKED_TO = 4


class LeaveOneOutExecutor(ColumnarExecutor):
    """Writes an Example per user: histories to train on, held-out items among negatives."""

    CONFIG = LeaveOneOutConfig
    COUNTERS = (
        "rows",
        "kept_rows",
        "repeats",
        "low_rated",
        "dropped_rows",
        "quarantined",
        "users",
        "evaluated_users",
        "tied_users",
        "timeless_users",
        "ranked_users",
        "full_ranked_users",
        "fewer_negatives",
        "most_negatives",
        "dropped_users",
        "items",
        "untitled_items",
        "unrated_movies",
    )
    REQUIRED = {
        "users": "min_ratings={min_ratings} drops every user, as none has so many items",
        "evaluated_users": "split_time={split_time} leaves no user with an item to hold out",
        "ranked_users": f"nobody can be ranked: that takes {K} items that a user has not touched, "
        "and of {items} each user leaves {most_negatives} at most",
        "full_ranked_users": "full_users={full_users} drew nobody to rank among all items",
    }

    def build(
        self, pipeline: beam.Pipeline, pattern: str, config: LeaveOneOutConfig, quarantine: str
    ) -> dict[str, beam.PCollection[pa.RecordBatch]]:
        """Returns batches of the splits: user_id, item_id and label, and of eval the history too.

        Negatives are drawn from the items of all users that are kept: no other items are ever
        trained on. A movies file beside the ratings is read to see that it can be.
        """
        tables = find_tables(pattern, parse_columns(config.columns), needs_rating=False)
        self.read_as = read_as(tables)
        _check_memory(pipeline, tables, _MEMORY_PER_BYTE)
        # Titles are for those who use the model: better now than after the training.
        path = find_movies(os.path.dirname(pattern))
        movies = read_movies(path, config.string_ids) if path else []
        rules = interactions(config.string_ids, any_rating=config.min_rating > 0)
        ratings = pipeline | "ReadRatings" >> ReadRatings(
            tables, _BLOCK_BYTES, rules, config.max_bad_rows, quarantine
        )
        if config.min_rating:
            ratings = ratings | "LeaveOutLow" >> beam.ParDo(_LeaveOutLow(config.min_rating))
        if config.string_ids:
            names = distinct_names(ratings)
            ratings = ratings | "CodeIds" >> CodeIds(names)
        histories = (
            ratings
            | "GroupByUser"
            >> GroupByUser(["user_id", "item_id", "timestamp"], _num_buckets(tables))
            | "LeaveOneOut"
            # It is 0 unless the split is by time.
            >> LeaveOneOut(
                config.min_ratings,
                HOLD_BACK[config.holdout],
                config.split_time * 10**6 or None,
            )
        )
        items = (
            histories
            | "Items" >> beam.Map(_distinct_items)
            | "DistinctItems" >> DistinctIds("items")
        )
        if movies:
            rated = names["item_id"] if config.string_ids else items
            titled = frozenset(movie.item_id for movie in movies)
            _ = rated | "CountTitles" >> beam.Map(_count_titles, titled)
        splits = {
            "train": histories | "Train" >> beam.Map(_positives).with_output_types(pa.RecordBatch),
            "eval": histories
            | "SampleNegatives"
            >> SampleNegatives(items, config.eval_negatives, K, config.seed, config.full_users),
        }
        if config.string_ids:
            return {
                split: batches | f"NameIds[{split}]" >> NameIds(names)
                for split, batches in splits.items()
            }
        return splits


class RatingSplitExecutor(ColumnarExecutor):
    """Writes an Example per user and split: ratings, joined with the genres of their movies."""

    CONFIG = RatingSplitConfig
    COUNTERS = (
        "rows",
        "rows_train",
        "rows_eval",
        "rows_left_out",
        "unmatched",
        "quarantined",
        "repeats",
    )
    REQUIRED = {
        name: f"split={{split}} with eval_percent={{eval_percent}} and split_time={{split_time}} "
        f"leaves no rating to {purpose} on"
        for name, purpose in {"rows_train": "train", "rows_eval": "evaluate"}.items()
    }

    def build(
        self, pipeline: beam.Pipeline, pattern: str, config: RatingSplitConfig, quarantine: str
    ) -> dict[str, beam.PCollection[pa.RecordBatch]]:
        """Returns batches of the splits: lists user_id, item_id, rating, timestamp and genres.

        A movies file has to be beside the ratings.
        """
        folder = os.path.dirname(pattern)
        tables = find_tables(pattern, parse_columns(config.columns))
        self.read_as = read_as(tables)
        _check_memory(pipeline, tables, _MEMORY_PER_RATED_BYTE)
        movies = (
            pipeline
            | "MoviesPath" >> beam.Create([need_movies(folder)])
            | "VectorizeGenres" >> VectorizeGenres()
        )
        validation = config.holdout == "validation"
        split: beam.PTransform = SplitRatings(config.eval_percent, config.seed, validation)
        if config.split == GLOBAL_TIME:
            percent = config.eval_percent if validation else None
            split = SplitByTime(config.split_time, percent)
        rules = on_scale(config.rating_scale) if config.rating_scale else STARS
        ratings = pipeline | "ReadRatings" >> ReadRatings(
            tables, _BLOCK_BYTES, rules, config.max_bad_rows, quarantine
        )
        if config.rating_scale:
            ratings = ratings | "ToStars" >> beam.Map(
                _in_stars, config.rating_scale
            ).with_output_types(pa.RecordBatch)
        splits = (
            ratings
            | "GroupByUser" >> GroupByUser(RATING_COLUMNS.names, _num_buckets(tables))
            | "CountRepeats" >> beam.Map(_count_repeats).with_output_types(pa.RecordBatch)
            | "JoinMovies" >> JoinMovies(movies, config.max_unmatched)
            | "SplitRatings" >> split
        )
        return {name: splits[name] | f"ListByUser[{name}]" >> ListByUser() for name in SPLITS}


def _in_stars(ratings: pa.RecordBatch, scale: str) -> pa.RecordBatch:
    at = ratings.schema.get_field_index("rating")
    stars = pa.array(to_stars(ratings.column(at).to_numpy(), scale))
    return ratings.set_column(at, ratings.schema.field(at), stars)


def _count_repeats(ratings: pa.RecordBatch) -> pa.RecordBatch:
    """Counts the rows, in a batch of whole users, whose user and item another one had before."""
    user_id, item_id = sort_rows(*(ratings[name].to_numpy() for name in ("user_id", "item_id")))
    repeats = np.count_nonzero((user_id[1:] == user_id[:-1]) & (item_id[1:] == item_id[:-1]))
    beam.metrics.Metrics.counter("ratings", "repeats").inc(int(repeats))
    return ratings


def _num_buckets(tables: Sequence[RatingTable]) -> int:
    return -(-sum(table.size for table in tables) // _BLOCK_BYTES)


def _check_memory(pipeline: beam.Pipeline, tables: Sequence[RatingTable], per_byte: float) -> None:
    """Raises UserError if what this process would hold of the ratings is more than there is."""
    if type(pipeline.runner).__name__ != LOCAL_RUNNER:
        return
    size = sum(table.size * (1 if table.plain else _PACKED_TO) for table in tables)
    needed, free = _BASE_BYTES + per_byte * size, free_memory()
    if needed > free:
        raise UserError(
            f"{tables[0].path}: takes about {needed / 2**30:.1f} GiB of memory, and "
            f"{free / 2**30:.1f} GiB are free; close what takes it, or have an engine read it: "
            "BEAM_ENGINE, in docs/engines.md"
        )


@beam.typehints.with_output_types(pa.RecordBatch)
class _LeaveOutLow(beam.DoFn):
    def __init__(self, least: float):
        self._least = least

    def setup(self) -> None:
        self._low = beam.metrics.Metrics.counter("ratings", "low_rated")

    def process(self, element: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        kept = pc.greater_equal(element["rating"], pa.scalar(self._least, pa.float32()))
        rows = element.filter(kept)
        self._low.inc(element.num_rows - rows.num_rows)
        if rows.num_rows:
            yield rows


def _count_titles(rated: np.ndarray | pa.Array, titled: frozenset[int | str]) -> None:
    """Counts the distinct items, integers or text as bytes, without a movie, and vice versa."""
    ids = rated.tolist() if isinstance(rated, np.ndarray) else rated.cast(pa.string()).to_pylist()
    for name, missing in {
        "untitled_items": len({*ids} - titled),
        "unrated_movies": len(titled - {*ids}),
    }.items():
        beam.metrics.Metrics.counter("movies", name).inc(missing)


def _distinct_items(histories: pa.RecordBatch) -> np.ndarray:
    held_out = histories["held_out"].drop_null()
    items = [histories["train"].flatten(), held_out, histories["later"].flatten()]
    return distinct_ids(np.concatenate([column.to_numpy() for column in items]))


def _positives(histories: pa.RecordBatch) -> pa.RecordBatch:
    train = histories["train"]
    ones = pa.ListArray.from_arrays(train.offsets, np.ones(len(train.flatten()), np.float32))
    users = np.arange(histories.num_rows + 1, dtype=np.int32)
    user_id = pa.ListArray.from_arrays(users, histories["user_id"])
    return pa.RecordBatch.from_arrays([user_id, train, ones], ["user_id", "item_id", "label"])
