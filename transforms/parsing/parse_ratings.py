"""Parses MovieLens ratings, in either of the two raw formats, into Arrow columns."""

import contextlib
import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import (
    MEND_ROW,
    NO_BAD_ROWS,
    BadRows,
    Problem,
    line_fault,
    merge,
    need_a_look,
    set_aside,
)
from transforms.parsing.input_files import extension
from transforms.parsing.integers import integer_fault
from transforms.parsing.rating_header import TITLES
from transforms.parsing.rating_scale import FEWEST_STARS, LATEST_SECOND, MOST_STARS, time_fault
from transforms.parsing.string_ids import STRING_ID, STRING_IDS_HINT, id_fault, trim_ids
from transforms.parsing.value_faults import cause_of

RATING_COLUMNS = pa.schema(
    [
        ("user_id", pa.int64()),
        ("item_id", pa.int64()),
        ("rating", pa.float32()),
        ("timestamp", pa.int64()),
    ]
)
STRING_ID_COLUMNS = pa.schema(
    [("user_id", STRING_ID), ("item_id", STRING_ID), *list(RATING_COLUMNS)[2:]]
)

_ARROW_BLOCK_BYTES = 1 << 20
# Row by row this takes a fortieth of a second.
_LOOK_BYTES = 1 << 16
_LATEST_INT64 = 2**63 - 1
_BLANK = re.compile(rb"[\r\n]*\Z")
# A value in quotes that fills its field, and no line's end in it.
_QUOTED = re.compile(rb'(?<![^,\r\n])"(?:[^"\r\n]|"")*"(?![^,\r\n])')
_NOT_STARS = f"not from {FEWEST_STARS:g} to {MOST_STARS:g}"
_OTHER_SCALE = (
    "bring all ratings to that scale (of up to 10, halve them); ncf looks at no stars, so for it "
    "counts may be 1 in every row"
)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


class _Dialect(NamedTuple):
    """How a file spells its rows.

    Attributes:
        separator: Between fields.
        titles: Names of the columns.
        has_header: Whether the first line has them.
        columns: Names and types that the columns get.
        latest: The greatest timestamp.
    """

    separator: str
    titles: tuple[str, ...]
    has_header: bool
    columns: pa.Schema = RATING_COLUMNS
    latest: int = LATEST_SECOND


DIALECTS = {
    ".dat": _Dialect("::", tuple(RATING_COLUMNS.names), has_header=False),
    ".csv": _Dialect(",", TITLES, has_header=True),
}
"""By the extension of a file's name, in lower case."""


def parse_ratings(
    lines: bytes,
    offset: int,
    fields: Sequence[str],
    path: str,
    max_bad_rows: int,
    string_ids: bool = False,
    any_unit: bool = False,
) -> tuple[pa.RecordBatch, BadRows]:
    """Returns the four columns of whole lines, and the rows that are malformed.

    Arrow parses the lines at once. Where it cannot, or where they hold what it takes for something
    else than what is written, they are halved until a few are left to look at one by one.

    Args:
        lines: Rows, without a header.
        offset: Where they begin in the file.
        fields: The file's column names, in its order.
        path: The file; its extension tells the dialect.
        max_bad_rows: How many malformed rows are described; the others are counted.
        string_ids: Whether ids are text and not integers.
        any_unit: Whether times may be in another unit than seconds, as they only give an order.

    Returns:
        Rows of `RATING_COLUMNS`, or of `STRING_ID_COLUMNS`, and what was left out of them.

    Raises:
        UserError: A line is too long, or `max_bad_rows` is 0 and a row is malformed.
    """
    dialect = DIALECTS[extension(path)]
    if string_ids:
        dialect = dialect._replace(columns=STRING_ID_COLUMNS)
    if any_unit:
        dialect = dialect._replace(latest=_LATEST_INT64)
    with contextlib.suppress(pa.ArrowInvalid):
        if not (need_a_look(lines) or _misleads_arrow(lines, fields, dialect)):
            return _convert(lines, fields, dialect), NO_BAD_ROWS
    middle = lines.rfind(b"\n", 0, len(lines) // 2) + 1
    if middle and len(lines) > _LOOK_BYTES:
        rest = (fields, path, max_bad_rows, string_ids, any_unit)
        first = parse_ratings(lines[:middle], offset, *rest)
        second = parse_ratings(lines[middle:], offset + middle, *rest)
        return _join(first[0], second[0]), merge([first[1], second[1]], max_bad_rows)
    kept, bad = set_aside(
        lines, offset, path, lambda line: _find_problem(line, fields, dialect), max_bad_rows
    )
    try:
        return _convert(kept, fields, dialect), bad
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{path}: bytes {offset} to {offset + len(lines)}: {str(error).splitlines()[0]}"
        ) from error


def _join(first: pa.RecordBatch, second: pa.RecordBatch) -> pa.RecordBatch:
    pairs = zip(first.columns, second.columns, strict=True)
    return pa.RecordBatch.from_arrays(list(map(pa.concat_arrays, pairs)), schema=first.schema)


def _misleads_arrow(lines: bytes, fields: Sequence[str], dialect: _Dialect) -> bool:
    """Whether Arrow may read 0x1F for an integer, "3"5 for 35, or two lines as one row."""
    # One byte is searched first as that is far quicker.
    if any(x in lines and b"0" + x in lines for x in (b"x", b"X")):
        if dialect.columns is RATING_COLUMNS:
            return True
        # Many a text id is hexadecimal, but no time may be.
        (times,) = _read(lines, fields, dialect, {dialect.titles[-1]: pa.string()})
        if pc.any(pc.match_substring(times, "0x", ignore_case=True)).as_py():
            return True
    return dialect.has_header and b'"' in lines and b'"' in _QUOTED.sub(b"", lines)


def _convert(lines: bytes, fields: Sequence[str], dialect: _Dialect) -> pa.RecordBatch:
    """Returns the four columns; raises ArrowInvalid, without a place, for a bad value."""
    if _BLANK.match(lines):
        return pa.RecordBatch.from_pylist([], schema=dialect.columns)
    types = dict(zip(dialect.titles, dialect.columns.types, strict=True))
    columns = [
        trim_ids(column) if column.type == STRING_ID else column
        for column in _read(lines, fields, dialect, types)
    ]
    ratings = pa.RecordBatch.from_arrays(columns, schema=dialect.columns)
    if not _in_range(ratings, dialect.latest):
        raise pa.ArrowInvalid("a value is missing or out of range")
    return ratings


def _read(
    lines: bytes, fields: Sequence[str], dialect: _Dialect, types: dict[str, pa.DataType]
) -> list[pa.Array]:
    """Returns the columns that `types` names, as Arrow reads them."""
    names, titles = list(fields), list(types)
    if dialect.separator == "::":
        # Arrow separates by one byte, so `::` holds a column, which has to be empty everywhere.
        names = [name for field in fields for name in (field, f"after {field}")][:-1]
        types = types | dict.fromkeys(names[1::2], pa.null())
    # Not read_csv, which searches the whole heap for references to its frame (pyarrow 10).
    table = pa_csv.open_csv(
        pa.BufferReader(lines),
        pa_csv.ReadOptions(column_names=names, block_size=_ARROW_BLOCK_BYTES),
        pa_csv.ParseOptions(
            delimiter=dialect.separator[0],
            quote_char='"' if dialect.has_header else False,
        ),
        pa_csv.ConvertOptions(column_types=types, null_values=[""], include_columns=list(types)),
    ).read_all()
    return [table[title].unify_dictionaries().combine_chunks() for title in titles]


def _in_range(ratings: pa.RecordBatch, latest: int) -> bool:
    if any(column.null_count for column in ratings.columns):
        return False
    rating, time = ratings["rating"].to_numpy(), ratings["timestamp"].to_numpy()
    # Written so that NaN, which compares false, is out of range.
    return bool(
        rating.min() >= FEWEST_STARS
        and rating.max() <= MOST_STARS
        and time.min() >= 0
        and time.max() <= latest
    )


def _find_problem(line: bytes, fields: Sequence[str], dialect: _Dialect) -> Problem | None:
    """Returns what is wrong with a line, which may be blank."""
    text = line.decode(errors="replace")
    if not text:
        return None
    if fault := line_fault(line):
        return Problem("", f"{text[:100]!r} {fault}")
    try:
        quoted = dialect.has_header and '"' in text
        values = next(csv.reader([text], strict=True)) if quoted else text.split(dialect.separator)
    except csv.Error as error:
        return Problem("", f"{text[:100]!r}: {error}")
    if not text.strip():
        return Problem("", f"{text[:100]!r} is a blank line that is not empty")
    if len(values) != len(fields):
        return Problem("", f"{text[:100]!r} does not have {len(fields)} fields")
    if dialect.has_header and all(v.strip() == f for v, f in zip(values, fields, strict=True)):
        return Problem("", f"{text[:100]!r} is a second header")
    for title, column in zip(dialect.titles, dialect.columns, strict=True):
        value = values[fields.index(title)]
        rule, remedy = _broken_rule(column, value.strip(" \t"), dialect)
        if rule:
            return Problem(title, f"{title} {value[:100]!r} is {rule}", remedy)
    return None


def _broken_rule(column: pa.Field, text: str, dialect: _Dialect) -> tuple[str, str]:
    """Returns what is wrong with a value of `column`, or "", and what to do about it."""
    if column.type == STRING_ID:
        # Arrow sees a column in it.
        colon = "" if dialect.has_header or ":" not in text else "not free of colons"
        return id_fault(text) or colon, MEND_ROW
    if column.name == "rating" and _DECIMAL.fullmatch(text):
        in_range = FEWEST_STARS <= np.float32(text) <= MOST_STARS
        return "" if in_range else _NOT_STARS, _OTHER_SCALE
    fault = "not a number" if column.name == "rating" else integer_fault(text)
    if fault and (cause := cause_of(text)):
        return f"{fault} ({cause.what})", cause.remedy
    if fault and dialect.has_header and column.name.endswith("_id"):
        return f"{fault}{STRING_IDS_HINT}", MEND_ROW
    if not fault and column.name == "timestamp":
        fault = time_fault(int(text), dialect.latest)
    return fault, MEND_ROW
