"""Reads the movies of any MovieLens set, and tables of one's own."""

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import BOM, line_fault, without_nul
from transforms.parsing.column_names import ITEM, find_columns, find_delimiter
from transforms.parsing.file_names import MOVIES, movies_among
from transforms.parsing.input_files import find_files
from transforms.parsing.integers import integer_fault
from transforms.parsing.string_ids import STRING_IDS_HINT, id_fault
from transforms.parsing.table_stream import open_table

_KNOWN = {"movieId": ITEM, "title": ("titles", "movietitle", "name"), "genres": ("genre",)}


NO_GENRES = "(no genres listed)"

# ml-100k's, in the order of its flags; "unknown" is no genre.
_FLAGS = (
    *("", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary"),
    *("Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi"),
    *("Thriller", "War", "Western"),
)
_FLAGS_AT = 5


class Movie(NamedTuple):
    """A row of a movies file.

    Attributes:
        place: File and line, for messages.
        item_id: The movie's id, as a number or as text.
        title: Its title, with what the file has around it, such as the year.
        genres: Its genres as the file spells them, separated by `|`, or `NO_GENRES`.
    """

    place: str
    item_id: int | str
    title: str
    genres: str


def find_movies(folder: str) -> str:
    """Returns the movies file in a folder, or "" if there is none.

    Args:
        folder: On any of Beam's file systems, its name as `glob.escape` makes it.

    Raises:
        UserError: There are two candidates.
    """
    return next((file.path for file in find_files(f"{folder}/*", movies_among)), "")


def need_movies(folder: str) -> str:
    """Returns the movies file in a folder, as `find_movies` does.

    Raises:
        UserError: There is none, or there are two candidates.
    """
    if not (path := find_movies(folder)):
        raise UserError(f"{folder}: no movies; expected {MOVIES}, for their genres")
    return path


def read_movies(path: str, string_ids: bool = False) -> list[Movie]:
    """Returns all movies of a file, in its order.

    Args:
        path: A file, unpacked as `open_table` does.
        string_ids: As in `parse_movies`.

    Raises:
        UserError: As in `parse_movies`.
    """
    with open_table(path) as file:
        return parse_movies(path, file.read(), string_ids)


def parse_movies(path: str, content: bytes, string_ids: bool = False) -> list[Movie]:
    """Returns all movies of a file, in its order.

    A table with a header is UTF-8, with commas, tabs, semicolons or bars between fields, quoted
    where need be; columns are found by name and others are left out. Files as of ml-1m, with `::`,
    and as of ml-100k, with bars and a flag for each genre, have no header, and are Latin-1 if they
    are no UTF-8. Byte order marks, CRLF, blank lines and a missing last newline are fine.

    Args:
        path: The file, for messages.
        content: What is in it.
        string_ids: Whether ids are text and not integers.

    Raises:
        UserError: The file holds no movie, or a row is malformed or repeats an id: the message
            names file, line and value.
    """
    first = next((line for line in content.removeprefix(BOM).split(b"\n") if line.strip()), b"")
    is_own = False
    if first.count(b"|") == _FLAGS_AT + len(_FLAGS) - 1:
        rows = _flag_rows(path, content)
    elif b"::" in first:
        rows = _dat_rows(path, content)
    else:
        is_own, rows = True, _table_rows(path, content, first)
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


def _lines(path: str, content: bytes) -> Iterator[tuple[int, str]]:
    """Yields number and text of each line that is not blank, be it UTF-8 or Latin-1."""
    content = content.removeprefix(BOM)
    encoding = "utf-8"
    try:
        content.decode()
    except UnicodeDecodeError:
        encoding = "latin-1"
    for line, raw in enumerate(content.split(b"\n"), 1):
        raw = raw.removesuffix(b"\r")
        text = raw.decode(encoding)
        if not text.strip():
            continue
        if fault := line_fault(raw):
            raise UserError(f"{path}:{line}: {text[:100]!r} {fault}; mend the row")
        yield line, text


def _dat_rows(path: str, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yields line and fields of each row, with the title, which may hold `::`, in the middle."""
    for line, text in _lines(path, content):
        item_id, _, rest = text.partition("::")
        title, separator, genres = rest.rpartition("::")
        if not separator:
            raise UserError(f"{path}:{line}: {text[:100]!r} does not have 3 fields; mend the row")
        yield line, [item_id, title, genres]


def _flag_rows(path: str, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yields line, id, title and genres of each row of ml-100k's layout."""
    for line, text in _lines(path, content):
        fields = text.split("|")
        flags = fields[_FLAGS_AT:]
        if len(flags) != len(_FLAGS) or not {*flags} <= {"0", "1"}:
            raise UserError(
                f"{path}:{line}: {text[:100]!r} does not have {_FLAGS_AT} fields and then "
                f"{len(_FLAGS)} of 0 or 1; mend the row"
            )
        genres = [name for name, flag in zip(_FLAGS, flags, strict=True) if flag == "1" and name]
        yield line, [*fields[:2], "|".join(genres) or NO_GENRES]


def _table_rows(path: str, content: bytes, first: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yields line and fields, in the order of `_KNOWN`, of each row."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}:{line}: byte {content[error.start]:#04x} at offset {error.start} is not "
            "UTF-8; convert the file"
        ) from error
    separator = find_delimiter(first.decode(errors="replace"), _KNOWN) or ","
    between = " " if b":token_seq" in first else "|"
    lines = without_nul(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=separator, strict=True)
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
                item_id, title, genres = (fields[at] for at in place)
                yield line, [item_id, title, genres.replace(between, "|")]
            # A quoted title may hold a newline: the next row begins after all that was read.
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}:{line}: {error}; mend the row") from error


def _parse_id(place: str, text: str, string_ids: bool, hint: str) -> int | str:
    item_id = text.strip(" \t")
    if fault := id_fault(item_id) if string_ids else integer_fault(item_id):
        raise UserError(f"{place}: movieId {text[:100]!r} is {fault}{hint}; mend the row")
    return item_id if string_ids else int(item_id)
