"""Finds how a ratings file is written, by its first rows."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import BOM, LINE_BYTES, line_fault, too_long
from transforms.parsing.rating_header import (
    RATING_TITLES,
    find_named,
    find_numbered,
    how_to_name,
    split_row,
)
from transforms.parsing.table_stream import is_plain, open_table
from transforms.parsing.time_units import TimeUnit, find_unit, unit_of

SEPARATORS = {
    "::": "double colons",
    "\t": "tabs",
    ";": "semicolons",
    "|": "bars",
    ",": "commas",
    " ": "blanks",
}

_HEAD_BYTES = 1 << 16
_LOOK_ROWS = 100
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?|nan|inf", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
# No rating, and no count that anyone has, but the second of a day in 1973.
_LEAST_TIME = 10**8


class RatingTable(NamedTuple):
    """A ratings file, and how it is written.

    Attributes:
        path: The file.
        size: Of it, in bytes.
        plain: Whether its lines are its bytes, so that it can be read in parts.
        separator: Between fields.
        names: Of all columns, in the file's order and words.
        places: Where those that are wanted are, by their titles.
        start: The byte at which the rows begin.
        times: How times are written.
        decimal_point: "." or ",".
    """

    path: str
    size: int
    plain: bool
    separator: str
    names: tuple[str, ...]
    places: Mapping[str, int]
    start: int
    times: TimeUnit
    decimal_point: str

    def described(self) -> str:
        """Returns what was taken for what."""
        columns = ", ".join(f"{title}={self.names[at]}" for title, at in self.places.items())
        times = f"; times in {self.times.name}" if "timestamp" in self.places else "; no times"
        return f"{SEPARATORS[self.separator]} between fields; {columns}{times}"


def find_table(path: str, size: int, columns: Mapping[str, str], needs_rating: bool) -> RatingTable:
    """Returns how a file is written.

    A header is one that has the columns' names, in which case and what lies between words do not
    count. Without one, columns are user, item, rating and time, of which the last two may lack.

    Args:
        path: The file.
        size: Of it, in bytes.
        columns: The name, or the number from 1, of each column by its title; empty finds them.
        needs_rating: Whether a file without ratings is refused.

    Raises:
        UserError: It cannot be known for sure, or the file has no rows; the message says what to
            name, or what to mend.
    """
    with open_table(path) as file:
        head = file.read(_HEAD_BYTES)
        if b"\n" not in head:
            head += file.readline(LINE_BYTES)
            if len(head) > LINE_BYTES:
                raise too_long(path, 0)
        more = bool(file.read(1))
    start = len(BOM) if head.startswith(BOM) else 0
    # The last line may be cut.
    lines = head[start : head.rfind(b"\n") + 1 if more else None].split(b"\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise UserError(f"{path}: the file is empty; fill it or fetch it again")
    rows = [_text(line) for line in lines[first:]]
    place = f"{path}:{first + 1}"
    if fault := _encoding_fault(head) or line_fault(lines[first].rstrip(b"\r")):
        raise UserError(f"{place}: {rows[0][:100]!r} {fault}; mend the row")
    found = _find_columns(place, rows[0], columns)
    if found.has_header:
        first += 1
        rows = [row for row in rows[1:] if row]
        if not rows and not more:
            raise UserError(
                f"{path}: the file holds a header and no ratings; fill it or fetch it again"
            )
    _check_columns(place, found, needs_rating, bool(columns))
    fields = [split_row(row, found.separator) for row in rows[:_LOOK_ROWS] if row]
    ratings, times = (
        [row[at].strip() for row in fields if len(row) > at] if at is not None else []
        for at in (found.places.get("rating"), found.places.get("timestamp"))
    )
    return RatingTable(
        path=path,
        size=size,
        plain=is_plain(path),
        separator=found.separator,
        names=tuple(found.names),
        places=found.places,
        start=start + sum(len(line) + 1 for line in lines[:first]),
        times=find_unit(times),
        decimal_point="," if any(map(_COMMA.fullmatch, ratings)) else ".",
    )


class _Columns(NamedTuple):
    separator: str
    names: Sequence[str]
    places: dict[str, int]
    has_header: bool


def _find_columns(place: str, row: str, columns: Mapping[str, str]) -> _Columns:
    numbered = bool(columns) and all(name.isdigit() for name in columns.values())
    for separator in SEPARATORS:
        names = [name.strip() for name in split_row(row, separator)]
        if len(names) < 2:
            continue
        if not numbered and (places := find_named(place, names, columns)):
            return _Columns(separator, names, places, True)
        if numbered and (places := find_numbered(names, columns)):
            has_header = bool(find_named(place, names, {})) or not _is_row(names, places)
            titles = {at: title for title, at in places.items()}
            own = [titles.get(at, f"column {at + 1}") for at in range(len(names))]
            return _Columns(separator, names if has_header else own, places, has_header)
    if columns:
        wanted = ", ".join(columns.values())
        raise UserError(
            f"{place}: columns={','.join(f'{t}:{n}' for t, n in columns.items())}: the first row, "
            f"{row[:200]!r}, does not have {wanted}; {how_to_name()}"
        )
    for separator in SEPARATORS:
        fields = [field.strip() for field in split_row(row, separator)]
        # Whatever has double colons is of MovieLens' layout, which has no header.
        places = _places_of(fields)
        if places and (separator == "::" or _is_row(fields, places)):
            return _Columns(separator, list(places), places, False)
    raise UserError(
        f"{place}: {row[:200]!r} is neither a row of user, item, rating and time, nor a header "
        f"that has columns for user and item by a known name; {how_to_name()}"
    )


def _places_of(fields: Sequence[str]) -> dict[str, int]:
    """Returns where columns are in a file without a header."""
    if not 2 <= len(fields) <= len(RATING_TITLES):
        return {}
    titles = list(RATING_TITLES[: len(fields)])
    if len(fields) == 3 and unit_of(fields[2]):
        is_date = not _NUMBER.fullmatch(fields[2])
        if is_date or float(fields[2]) >= _LEAST_TIME:
            titles[2] = "timestamp"
    return {title: at for at, title in enumerate(titles)}


def _is_row(fields: Sequence[str], places: Mapping[str, int]) -> bool:
    """Returns whether fields have values, and not names, where numbers are wanted."""
    values = [fields[places[title]] for title in ("rating", "timestamp") if title in places]
    if not values:
        return all(_INTEGER.fullmatch(fields[places[title]]) for title in ("user_id", "item_id"))
    if (at := places.get("rating")) is not None and not _is_rating(fields[at]):
        return False
    return all(_NUMBER.fullmatch(value) or unit_of(value) for value in values)


def _is_rating(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and not float(text.replace(",", ".")) >= _LEAST_TIME


def _check_columns(place: str, found: _Columns, needs_rating: bool, named: bool) -> None:
    if needs_rating and "rating" not in found.places:
        raise UserError(
            f"{place}: no column has ratings, which this pipeline is about; {how_to_name('rating')}"
        )
    if "timestamp" not in found.places and not named:
        raise UserError(
            f"{place}: no column has times, without which it is not known which item of a user "
            f"is the last; {how_to_name('time')}, or leave time out there to have items in an "
            "order drawn by a hash"
        )


def _text(line: bytes) -> str:
    return line.decode(errors="replace").strip("\r\n")


def _encoding_fault(head: bytes) -> str:
    # Of its letters, every other byte is 0.
    halves = {head[:40:2].strip(b"\0"), head[1:40:2].strip(b"\0")}
    utf_16 = b"\0" in head[:40] and b"" in halves
    return "is UTF-16 without a byte order mark: save the file as UTF-8" if utf_16 else ""
