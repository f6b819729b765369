"""Made-up ratings with the size and the shape of MovieLens, for speed and memory alone.

Users have a long-tailed number of ratings and items a long-tailed popularity, and nobody rates an
item twice. There is nothing to learn in them, and nothing in them is from real data.
"""

import os
import shutil
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

_SEED = 2018
_FEWEST = 20
_USERS_TOGETHER = 2000
_IDS_PER_ITEM = 5
"""Raw item ids leave gaps: ml-20m's go to five times the number of its items."""
_POPULARITY_EXPONENT = 0.9
_FIRST_SECOND, _LAST_SECOND = 789_652_009, 1_427_784_002
"""The times of ml-20m's first and last rating."""

_GENRES = ("Action", "Adventure", "Comedy", "Crime", "Drama", "Romance", "Thriller", "War")


@dataclass(frozen=True)
class Shape:
    """How much to make.

    Attributes:
        users: Number of users.
        items: Number of items.
        ratings: About as many ratings; busy users who would repeat themselves end a little short.
        dat: Write ml-1m's format, `::` between fields and no header, instead of ml-20m's.
    """

    users: int
    items: int
    ratings: int
    dat: bool = False


SHAPES = {
    "ml-latest-small": Shape(users=671, items=9_066, ratings=100_004),
    "ml-1m": Shape(users=6_040, items=3_706, ratings=1_000_209, dat=True),
    "1M": Shape(users=6_925, items=26_744, ratings=1_000_000),
    "5M": Shape(users=34_623, items=26_744, ratings=5_000_000),
    "20M": Shape(users=138_493, items=26_744, ratings=20_000_263),
}
"""ml-latest-small, ml-1m and ml-20m, and twentieth and quarter parts of the latter's users."""


def write_ratings(size: str, folder: str) -> None:
    """Writes a ratings and a movies file; the folder appears once both are whole.

    Args:
        size: A name in SHAPES; it determines every byte.
        folder: A folder that does not exist yet.
    """
    shape = SHAPES[size]
    partial = f"{folder}.part"
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(partial)
    rng = np.random.default_rng(_SEED)
    raw_ids = 1 + rng.choice(_IDS_PER_ITEM * shape.items, shape.items, replace=False)
    _write_ratings(shape, raw_ids, partial, rng)
    _write_movies(shape, np.sort(raw_ids), partial, rng)
    os.rename(partial, folder)


def _write_ratings(
    shape: Shape, raw_ids: np.ndarray, folder: str, rng: np.random.Generator
) -> None:
    counts = _ratings_per_user(shape, rng)
    popularity = np.arange(1, shape.items + 1) ** -_POPULARITY_EXPONENT
    cumulative = np.cumsum(popularity) / popularity.sum()
    options = pa_csv.WriteOptions(include_header=False)
    extension = "dat" if shape.dat else "csv"
    with open(os.path.join(folder, f"ratings.{extension}"), "wb") as file:
        if not shape.dat:
            file.write(b"userId,movieId,rating,timestamp\n")
        for first in range(0, shape.users, _USERS_TOGETHER):
            user, item = _draw_pairs(counts[first : first + _USERS_TOGETHER], cumulative, rng)
            columns = [
                user + first + 1,
                raw_ids[item],
                rng.integers(1, 6, len(user)) if shape.dat else rng.integers(1, 11, len(user)) / 2,
                rng.integers(_FIRST_SECOND, _LAST_SECOND, len(user)),
            ]
            sink = pa.BufferOutputStream()
            pa_csv.write_csv(pa.table(columns, ["u", "i", "r", "t"]), sink, options)
            rows = sink.getvalue().to_pybytes()
            file.write(rows.replace(b",", b"::") if shape.dat else rows)


def _ratings_per_user(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    tail = rng.lognormal(sigma=1.1, size=shape.users)
    tail *= (shape.ratings - _FEWEST * shape.users) / tail.sum()
    return np.minimum(_FEWEST + np.rint(tail).astype(np.int64), shape.items // 2)


def _draw_pairs(
    counts: np.ndarray, cumulative: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns users, int64[n] ascending, and their items: up to `counts` distinct ones each."""
    # Draws repeat popular items: with this many, most users have enough that are distinct.
    user = np.repeat(np.arange(len(counts)), 2 * counts + _FEWEST)
    item = np.searchsorted(cumulative[:-1], rng.random(len(user)))
    _, first = np.unique(user * len(cumulative) + item, return_index=True)
    first.sort()
    user, item = user[first], item[first]
    distinct = np.bincount(user, minlength=len(counts))
    place = np.arange(len(user)) - np.repeat(np.cumsum(distinct) - distinct, distinct)
    kept = place < counts[user]
    return user[kept], item[kept]


def _write_movies(shape: Shape, raw_ids: np.ndarray, folder: str, rng: np.random.Generator) -> None:
    separator = "::" if shape.dat else ","
    lines = [] if shape.dat else ["movieId,title,genres"]
    for movie, genres in zip(raw_ids, rng.choice(_GENRES, (shape.items, 2)), strict=True):
        lines.append(
            separator.join([str(movie), f"Film {movie} (1999)", "|".join(sorted(set(genres)))])
        )
    with open(os.path.join(folder, "movies.dat" if shape.dat else "movies.csv"), "w") as file:
        file.writelines(f"{line}\n" for line in lines)
