"""Turns the genres of movies into vectors, once per movie."""

from collections.abc import Sequence
from typing import NamedTuple

import apache_beam as beam
import numpy as np

from transforms.base.errors import UserError
from transforms.base.settings import nearest
from transforms.parsing.read_movies import NO_GENRES, Movie, read_movies

GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Children",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "IMAX",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
"""A genre's place here is its place in the vectors."""

_PLACE = {genre: place for place, genre in enumerate(GENRES)}
# ml-1m's spelling.
_PLACE["Children's"] = _PLACE["Children"]


class GenreTable(NamedTuple):
    """What is known of all movies.

    Attributes:
        item_id: int64[movies], ascending.
        genres: int64[movies, 19]: 1 for each of `GENRES` that the movie has, else 0.
    """

    item_id: np.ndarray
    genres: np.ndarray


def vectorize_genres(movies: Sequence[Movie]) -> GenreTable:
    """Returns the genre vectors of movies with distinct ids.

    ml-1m's "Children's" is Children, and "(no genres listed)" is all zeros.

    Raises:
        UserError: A genre is none of the 19; the message names the movie.
    """
    item_id = np.array([movie.item_id for movie in movies], np.int64)
    genres = np.zeros((len(movies), len(GENRES)), np.int64)
    for row, movie in enumerate(movies):
        if movie.genres == NO_GENRES:
            continue
        for genre in movie.genres.split("|"):
            if genre not in _PLACE:
                raise UserError(
                    f"{movie.place}: movie {movie.item_id} {movie.title[:100]!r}: genre "
                    f"{genre[:100]!r} is none of the {len(GENRES)}{nearest(genre, GENRES)}; "
                    "mend the row"
                )
            genres[row, _PLACE[genre]] = 1
    order = np.argsort(item_id)
    return GenreTable(item_id[order], genres[order])


@beam.typehints.with_input_types(str)
@beam.typehints.with_output_types(GenreTable)
class VectorizeGenres(beam.PTransform):
    """Reads movies files into a `GenreTable` each."""

    def expand(self, paths: beam.PCollection[str]) -> beam.PCollection[GenreTable]:
        """Returns as many tables as there are paths."""
        return paths | "Vectorize" >> beam.Map(_read_and_vectorize)


def _read_and_vectorize(path: str) -> GenreTable:
    return vectorize_genres(read_movies(path))
