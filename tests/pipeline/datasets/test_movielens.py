"""Every published set in its exact layout, from wherever it was put: the same ratings."""

import dataclasses
import os
import zipfile

import pytest

from pipeline.datasets.movielens import MOVIELENS
from tests.pipeline.datasets.published import NAMES, archive, layout
from tests.pipeline.datasets.servers import sha256
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
LAYOUTS = {name: layout(name, RATINGS, MOVIES) for name in NAMES}


def archive_of(name):
    return archive(*LAYOUTS[name])


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
    packed = archive_of(name)
    server.files = {f"/{name}.zip": packed}
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
    check(ensure({f"{name}.zip": sha256(packed)}))


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
