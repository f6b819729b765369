"""Every published set in its exact layout, from wherever it was put: the same ratings."""

import dataclasses
import os
import zipfile

import pytest

from pipeline.datasets.movielens import MOVIELENS
from tests.pipeline.datasets.servers import sha256, zip_of
from tests.transforms.tables import folder_pattern, read_table
from transforms.base.errors import UserError
from transforms.parsing.read_movies import need_movies, read_movies
from transforms.read_ratings import find_tables
from transforms.vectorize_genres import GENRES, vectorize_genres

RATINGS = [(1 + at % 3, 1 + at % 5, 1.0 + at % 5, 978300760 + at) for at in range(15)]
MOVIES = [
    (1, "Toy Story (1995)", {"Animation", "Comedy"}),
    (2, "Été: meurtrier, L' (1983)", {"Drama", "War"}),
    (3, "A :: B (2000)", set()),
    (4, 'The "Best" (2001)', {"Sci-Fi"}),
    (5, "E", {"Children"}),
]
FLAGS = [
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance"),
    *("Sci-Fi", "Thriller", "War", "Western"),
]


def ml_100k():
    def flags(genres):
        spelt = {"Children's" if genre == "Children" else genre for genre in genres} or {"unknown"}
        return "|".join("1" if name in spelt else "0" for name in FLAGS)

    items = "".join(f"{i}|{t}|01-Jan-1995||http://us.imdb.com/|{flags(g)}\n" for i, t, g in MOVIES)
    rows = "".join(f"{u}\t{i}\t{s:g}\t{t}\n" for u, i, s, t in RATINGS)
    # With what else the archive has, one of it called much like the ratings.
    return {
        "u.data": rows.encode(),
        "u.item": items.encode("latin-1"),
        "u1.base": b"",
        "u.user": b"",
    }


def dat(encoding):
    def genres(names):
        return "|".join(sorted(names)) or "(no genres listed)"

    movies = "".join(f"{i}::{t}::{genres(g)}\n" for i, t, g in MOVIES)
    rows = "".join(f"{u}::{i}::{s:g}::{t}\n" for u, i, s, t in RATINGS)
    return {"ratings.dat": rows.encode(), "movies.dat": movies.encode(encoding), "README": b"x"}


def comma():
    def quoted(title):
        return '"{}"'.format(title.replace('"', '""')) if set(title) & set(',"') else title

    movies = "movieId,title,genres\r\n" + "".join(
        f"{i},{quoted(t)},{'|'.join(sorted(g)) or '(no genres listed)'}\r\n" for i, t, g in MOVIES
    )
    rows = "userId,movieId,rating,timestamp\r\n" + "".join(
        f"{u},{i},{s},{t}\r\n" for u, i, s, t in RATINGS
    )
    others = {
        "tags.csv": b"userId,movieId,tag,timestamp\r\n",
        "links.csv": b"movieId,imdbId,tmdbId\r\n",
    }
    return {"ratings.csv": rows.encode(), "movies.csv": movies.encode(), **others}


LAYOUTS = {
    "ml-100k": ("ml-100k", ml_100k()),
    "ml-1m": ("ml-1m", dat("latin-1")),
    "ml-10m": ("ml-10M100K", dat("utf-8")),
    **{
        name: (name, comma())
        for name in ("ml-20m", "ml-25m", "ml-32m", "ml-latest-small", "ml-latest")
    },
}


def archive_of(name):
    folder, files = LAYOUTS[name]
    return zip_of({f"{folder}/{file}": content for file, content in files.items()})


def check(folder):
    """Asserts that the ratings, titles and genres of a folder are as they were written."""
    (table,) = find_tables(folder_pattern(folder), {})
    assert read_table(table.path) == RATINGS
    movies = read_movies(need_movies(os.fspath(folder)))
    assert [movie.title for movie in movies] == [title for _, title, _ in MOVIES]
    found = vectorize_genres(movies).genres
    genres = [{GENRES[at] for at in row.nonzero()[0]} for row in found]
    assert genres == [names for *_, names in MOVIES]


def test_every_published_set_is_known():
    assert {*LAYOUTS} == {*MOVIELENS.datasets} - {"sample"}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("place", [".", "movielens", ".."])
def test_an_archive_by_hand_is_the_set(tmp_path, name, place):
    root = tmp_path / "root"
    root.mkdir()
    (root / place).mkdir(exist_ok=True)
    (root / place / f"{name}.zip").write_bytes(archive_of(name))
    warnings = []
    check(
        MOVIELENS.ensure(
            name,
            str(root),
            work_dir=str(tmp_path / "w"),
            allow_download=False,
            warn=warnings.append,
        )
    )
    # These few rows are none of the published ones.
    assert len(warnings) == ("latest" not in name)


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_unpacked_folder_is_the_set(tmp_path, name):
    folder, files = LAYOUTS[name]
    (tmp_path / folder).mkdir()
    for file, content in files.items():
        (tmp_path / folder / file).write_bytes(content)
    found = MOVIELENS.ensure(
        name, str(tmp_path), work_dir=str(tmp_path / "w"), allow_download=False
    )
    assert found == str(tmp_path / folder)
    check(found)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_download_is_the_set_if_its_bytes_are_the_published_ones(tmp_path, server, name):
    archive = archive_of(name)
    server.files = {f"/{name}.zip": archive}
    dataset = MOVIELENS.datasets[name]
    url = server.url(f"/{name}.zip")

    def ensure(pins):
        source = dataclasses.replace(dataset.sources[0], url=url, pins=pins)
        catalog = dataclasses.replace(
            MOVIELENS, datasets={name: dataclasses.replace(dataset, sources=(source,))}
        )
        return catalog.ensure(name, str(tmp_path / "root"), work_dir=str(tmp_path / "w"))

    if pins := dataset.sources[0].pins:
        with pytest.raises(UserError, match="its SHA-256 begins with"):
            ensure(pins)
    check(ensure({f"{name}.zip": sha256(archive)}))


def test_what_is_unpacked_is_bounded_by_what_the_set_is(tmp_path):
    for name, limit in {"ml-100k": 22 << 20, "ml-20m": 1100 << 20, "ml-32m": 1700 << 20}.items():
        assert MOVIELENS.datasets[name].sources[0].max_bytes < limit
    files = {**LAYOUTS["ml-100k"][1], "u.data": b"1\t2\t3\t978300760\n" * 1_500_000}
    with zipfile.ZipFile(tmp_path / "ml-100k.zip", "w") as archive:
        for file, content in files.items():
            archive.writestr(f"ml-100k/{file}", content)
    with pytest.raises(UserError, match=r"ml-100k\.zip: would unpack to \d+ bytes, more than"):
        MOVIELENS.ensure(
            "ml-100k", str(tmp_path), work_dir=str(tmp_path / "w"), allow_download=False
        )
