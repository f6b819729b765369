"""Reads MovieLens movies, in either of the two raw formats."""

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import BOM, line_fault, without_nul
from transforms.parsing.column_names import ITEM, find_columns
from transforms.parsing.input_files import extension, match_files, open_input
from transforms.parsing.integers import integer_fault
from transforms.parsing.string_ids import STRING_IDS_HINT, id_fault

_KNOWN = {"movieId": ITEM, "title": ("titles", "movietitle", "name"), "genres": ("genre",)}


class Movie(NamedTuple):
    """A row of a movies file.

    Attributes:
        place: File and line, for messages.
        item_id: The movie's id, as a number or as text.
        title: Its title, with what the file has around it, such as the year.
        genres: Its genres as the file spells them, separated by `|`.
    """

    place: str
    item_id: int | str
    title: str
    genres: str


def find_movies(pattern: str) -> str:
    """Returns the one movies file, `.dat` or `.csv`, that `pattern` matches.

    Raises:
        UserError: There is none, or more than one.
    """
    paths = [file.path for file in match_files(pattern, (".dat", ".csv"))]
    if len(paths) != 1:
        found = f"matches {', '.join(paths)}; keep one of them" if paths else "no such file"
        raise UserError(f"{pattern}: {found}; expected movies.dat or movies.csv")
    return paths[0]


def read_movies(path: str, string_ids: bool = False) -> list[Movie]:
    """Returns all movies of a file, in its order.

    Args:
        path: A file that ends in `.dat` or `.csv`.
        string_ids: As in `parse_movies`.

    Raises:
        UserError: As in `parse_movies`.
    """
    with open_input(path) as file:
        return parse_movies(path, file.read(), string_ids)


def parse_movies(path: str, content: bytes, string_ids: bool = False) -> list[Movie]:
    """Returns all movies of a file, in its order.

    Byte order marks, CRLF, blank lines and a missing last newline are fine.

    Args:
        path: The name of a file that ends in `.dat`, which is Latin-1 with `::` between its fields
            and no header, or in `.csv`, which is UTF-8, quoted where need be, with a header; its
            columns are found by name and others are left out.
        content: What is in it.
        string_ids: Whether ids are text and not integers.

    Raises:
        UserError: The file holds no movie, or a row is malformed or repeats an id: the message
            names file, line and value.
    """
    is_own = extension(path) == ".csv"
    rows = _csv_rows(path, content) if is_own else _dat_rows(path, content)
    hint = STRING_IDS_HINT if is_own and not string_ids else ""
    movies = [
        Movie(
            f"{path}:{line}", _parse_id(f"{path}:{line}", item_id, string_ids, hint), title, genres
        )
        for line, (item_id, title, genres) in rows
    ]
    if not movies:
        raise UserError(f"{path}: the file holds no movies; fill it or fetch it again")
    places: dict[int | str, str] = {}
    for movie in movies:
        earlier = places.setdefault(movie.item_id, movie.place)
        if earlier != movie.place:
            raise UserError(
                f"{movie.place}: movie {movie.item_id} is at {earlier} already; remove one of them"
            )
    return movies


def _dat_rows(path: str, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yields line and fields of each row, with the title, which may hold `::`, in the middle."""
    for line, raw in enumerate(content.removeprefix(BOM).split(b"\n"), 1):
        raw = raw.removesuffix(b"\r")
        text = raw.decode("latin-1")
        if not text.strip():
            continue
        if fault := line_fault(raw):
            raise UserError(f"{path}:{line}: {text[:100]!r} {fault}; mend the row")
        item_id, _, rest = text.partition("::")
        title, separator, genres = rest.rpartition("::")
        if not separator:
            raise UserError(f"{path}:{line}: {text[:100]!r} does not have 3 fields; mend the row")
        yield line, [item_id, title, genres]


def _csv_rows(path: str, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yields line and fields, in the order of `_KNOWN`, of each row."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}:{line}: byte {content[error.start]:#04x} at offset {error.start} is not "
            "UTF-8; convert the file"
        ) from error
    reader = csv.reader(without_nul(io.StringIO(text, newline="")), strict=True)
    place: list[int] = []
    width = 0
    line = 1
    try:
        for fields in reader:
            if not place:
                names = [name.strip() for name in fields]
                place, width = find_columns(path, names, _KNOWN), len(fields)
            elif fields and len(fields) != width:
                raise UserError(
                    f"{path}:{line}: {','.join(fields)[:100]!r} does not have {width} fields; "
                    "mend the row"
                )
            elif fields:
                yield line, [fields[at] for at in place]
            # A quoted title may hold a newline: the next row begins after all that was read.
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}:{line}: {error}; mend the row") from error


def _parse_id(place: str, text: str, string_ids: bool, hint: str) -> int | str:
    item_id = text.strip(" \t")
    if fault := id_fault(item_id) if string_ids else integer_fault(item_id):
        raise UserError(f"{place}: movieId {text[:100]!r} is {fault}{hint}; mend the row")
    return item_id if string_ids else int(item_id)
