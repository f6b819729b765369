import os
import random
import re
import zipfile

import numpy as np
import pytest

from transforms.base.errors import UserError
from transforms.parsing.read_movies import Movie, read_movies
from transforms.vectorize_genres import GENRES, vectorize_genres

REAL = os.path.join("..", "shared", "data", "movielens")


def movie(genres, item_id=1):
    return Movie("movies.dat:9", item_id, "Toy Story (1995)", genres)


def names(vector):
    return {genre for genre, has in zip(GENRES, vector, strict=True) if has}


def test_genres_have_their_places_whatever_the_order_of_movies():
    table = vectorize_genres([movie("War|Action", 9), movie("IMAX", -3), movie("|".join(GENRES))])
    assert table.item_id.tolist() == [-3, 1, 9]
    assert [names(row) for row in table.genres] == [{"IMAX"}, set(GENRES), {"War", "Action"}]
    assert table.genres.dtype == np.int64 and table.genres.shape == (3, 19)


def test_childrens_of_ml_1m_is_children():
    table = vectorize_genres([movie("Children's"), movie("Children", 2)])
    assert [names(row) for row in table.genres] == [{"Children"}] * 2


def test_no_genres_is_all_zeros():
    assert not vectorize_genres([movie("(no genres listed)")]).genres.any()


@pytest.mark.parametrize("genres", ["Dramas", "Drama|", "", "drama", "War|(no genres listed)"])
def test_an_unknown_genre_is_refused_and_names_the_movie(genres):
    with pytest.raises(UserError, match=r"movies.dat:9: movie 1 'Toy Story \(1995\)': genre "):
        vectorize_genres([movie(genres)])


def test_a_mistyped_genre_gets_the_nearest():
    with pytest.raises(UserError, match=r"'Sci-fi' is none of the 19; did you mean Sci-Fi\?"):
        vectorize_genres([movie("War|Sci-fi")])


@pytest.mark.skipif(not os.path.isdir(REAL), reason="the real files are not here")
@pytest.mark.parametrize("name", ["ml-1m/movies.dat", "ml-latest-small/movies.csv"])
def test_genres_of_1000_real_movies_equal_an_independent_reading(tmp_path, name):
    with zipfile.ZipFile(os.path.join(REAL, f"{os.path.dirname(name)}.zip")) as archive:
        path = archive.extract(name, tmp_path)
    table = vectorize_genres(read_movies(path))
    with open(path, "rb") as file:
        lines = [line for line in file.read().splitlines() if line[:1].isdigit()]
    assert len(lines) == len(table.item_id)
    for line in random.Random(0).sample(lines, 1000):
        item_id = int(re.match(rb"\d+", line)[0])
        listed = re.search(rb"(?:::|,)([^,]*?)$", line)[1].rpartition(b"::")[2].decode()
        expected = {g.replace("'s", "") for g in listed.split("|")} - {"(no genres listed)"}
        row = table.genres[table.item_id == item_id]
        assert len(row) == 1 and names(row[0]) == expected
