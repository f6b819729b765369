"""Parses rows of ratings into Arrow columns."""

import contextlib
import csv
import re
from collections.abc import Mapping

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
from transforms.parsing.integers import integer_fault
from transforms.parsing.rating_rules import RatingRules
from transforms.parsing.rating_table import RatingTable
from transforms.parsing.string_ids import STRING_ID, STRING_IDS_HINT, id_fault, trim_ids
from transforms.parsing.time_units import time_fault, unit_of
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
_BLANK = re.compile(rb"[\r\n]*\Z")
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def parse_ratings(
    lines: bytes, offset: int, table: RatingTable, rules: RatingRules, max_bad_rows: int
) -> tuple[pa.RecordBatch, BadRows]:
    """Returns the four columns of whole lines, and the rows that are malformed.

    Arrow parses the lines at once. Where it cannot, or where they hold what it takes for something
    else than what is written, they are halved until a few are left to look at one by one.

    Args:
        lines: Rows, without a header.
        offset: Where they begin in the lines of the file.
        table: How the file is written.
        rules: What values are let through.
        max_bad_rows: How many malformed rows are described; the others are counted.

    Returns:
        Rows of `RATING_COLUMNS`, or of `STRING_ID_COLUMNS`, and what was left out of them. Without
        a column of ratings each is 1, and without one of times each is 0.

    Raises:
        UserError: A line is too long, or `max_bad_rows` is 0 and a row is malformed.
    """
    with contextlib.suppress(pa.ArrowInvalid):
        if not (need_a_look(lines) or _misleads_arrow(lines, table, rules)):
            return _convert(lines, table, rules), NO_BAD_ROWS
    middle = lines.rfind(b"\n", 0, len(lines) // 2) + 1
    if middle and len(lines) > _LOOK_BYTES:
        first = parse_ratings(lines[:middle], offset, table, rules, max_bad_rows)
        second = parse_ratings(lines[middle:], offset + middle, table, rules, max_bad_rows)
        return _join(first[0], second[0]), merge([first[1], second[1]], max_bad_rows)
    kept, bad = set_aside(
        lines, offset, table.path, lambda line: _find_problem(line, table, rules), max_bad_rows
    )
    try:
        return _convert(kept, table, rules), bad
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{table.path}: bytes {offset} to {offset + len(lines)}: {str(error).splitlines()[0]}"
        ) from error


def _join(first: pa.RecordBatch, second: pa.RecordBatch) -> pa.RecordBatch:
    pairs = zip(first.columns, second.columns, strict=True)
    return pa.RecordBatch.from_arrays(list(map(pa.concat_arrays, pairs)), schema=first.schema)


def _misleads_arrow(lines: bytes, table: RatingTable, rules: RatingRules) -> bool:
    """Whether Arrow may read 0x1F for an integer, "3"5 for 35, or two lines as one row."""
    # One byte is searched first as that is far quicker.
    if any(x in lines and b"0" + x in lines for x in (b"x", b"X")):
        if not rules.string_ids:
            return True
        # Many a text id is hexadecimal, but no time may be.
        if "timestamp" in table.places:
            times = _read(lines, table, {"timestamp": pa.string()})["timestamp"]
            if pc.any(pc.match_substring(times, "0x", ignore_case=True)).as_py():
                return True
    if not _may_quote(table) or b'"' not in lines:
        return False
    return b'"' in _quoted(table.separator).sub(b"", lines)


def _may_quote(table: RatingTable) -> bool:
    return len(table.separator) == 1


def _quoted(separator: str) -> re.Pattern[bytes]:
    """Returns what a value in quotes is that fills its field, and no line's end in it."""
    mark = re.escape(separator.encode())
    return re.compile(rb"(?<![^" + mark + rb'\r\n])"(?:[^"\r\n]|"")*"(?![^' + mark + rb"\r\n])")


def _convert(lines: bytes, table: RatingTable, rules: RatingRules) -> pa.RecordBatch:
    """Returns the four columns; raises ArrowInvalid, without a place, for a bad value."""
    schema = STRING_ID_COLUMNS if rules.string_ids else RATING_COLUMNS
    if _BLANK.match(lines):
        return pa.RecordBatch.from_pylist([], schema=schema)
    types = {field.name: field.type for field in schema if field.name in table.places}
    if "timestamp" in types:
        types["timestamp"] = table.times.type
    found = _read(lines, table, types)
    if any(column.null_count for column in found.values()):
        raise pa.ArrowInvalid("a value is missing")
    rows = len(found["user_id"])
    columns = {
        "user_id": found["user_id"],
        "item_id": found["item_id"],
        "rating": found.get("rating", pa.array(np.ones(rows, np.float32))),
        "timestamp": (
            _times(found["timestamp"], table, rules)
            if "timestamp" in found
            else pa.array(np.zeros(rows, np.int64))
        ),
    }
    if rules.string_ids:
        columns |= {name: trim_ids(columns[name]) for name in ("user_id", "item_id")}
    stars = columns["rating"].to_numpy()
    # Written so that NaN, which compares false, is out of range.
    if rows and not (stars.min() >= rules.least and stars.max() <= rules.most):
        raise pa.ArrowInvalid("a rating is out of range")
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=schema)


def _times(times: pa.Array, table: RatingTable, rules: RatingRules) -> pa.Array:
    """Returns times as int64 since 1970; raises ArrowInvalid if one is of another unit."""
    unit = table.times
    if pa.types.is_timestamp(unit.type):
        times = times.cast(pa.int64())
    values = times.to_numpy()
    if len(values) and not (values.min() >= unit.first and values.max() <= unit.last):
        raise pa.ArrowInvalid("a time is out of range")
    wanted = 10**6 if rules.microseconds else 1
    if values.dtype.kind == "f":
        values = np.rint(values * wanted).astype(np.int64)
    elif unit.per_second < wanted:
        values = values * (wanted // unit.per_second)
    elif unit.per_second > wanted:
        values = values // (unit.per_second // wanted)
    return pa.array(values)


def _read(
    lines: bytes, table: RatingTable, types: Mapping[str, pa.DataType]
) -> dict[str, pa.Array]:
    """Returns the columns that `types` names, as Arrow reads them."""
    titles = {at: title for title, at in table.places.items()}
    names = [titles.get(at, f"column {at}") for at in range(len(table.names))]
    types = dict(types)
    if not _may_quote(table):
        # Arrow separates by one byte, so `::` holds a column, which has to be empty everywhere.
        names = [name for title in names for name in (title, f"after {title}")][:-1]
        types |= dict.fromkeys(names[1::2], pa.null())
    # Not read_csv, which searches the whole heap for references to its frame (pyarrow 10).
    found = pa_csv.open_csv(
        pa.BufferReader(lines),
        pa_csv.ReadOptions(column_names=names, block_size=_ARROW_BLOCK_BYTES),
        pa_csv.ParseOptions(
            delimiter=table.separator[0], quote_char='"' if _may_quote(table) else False
        ),
        pa_csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            include_columns=list(types),
            decimal_point=table.decimal_point,
        ),
    ).read_all()
    wanted = [name for name in types if name in table.places]
    return {name: found[name].unify_dictionaries().combine_chunks() for name in wanted}


def _find_problem(line: bytes, table: RatingTable, rules: RatingRules) -> Problem | None:
    """Returns what is wrong with a line, which may be blank."""
    text = line.decode(errors="replace")
    if not text:
        return None
    if fault := line_fault(line):
        return Problem("", f"{text[:100]!r} {fault}")
    quoted = _may_quote(table) and '"' in text
    try:
        values = (
            next(csv.reader([text], delimiter=table.separator, strict=True))
            if quoted
            else text.split(table.separator)
        )
    except csv.Error as error:
        return Problem("", f"{text[:100]!r}: {error}")
    if not text.strip():
        return Problem("", f"{text[:100]!r} is a blank line that is not empty")
    if len(values) != len(table.names):
        return Problem("", f"{text[:100]!r} does not have {len(table.names)} fields")
    if all(v.strip() == name for v, name in zip(values, table.names, strict=True)):
        return Problem("", f"{text[:100]!r} is a second header")
    for title, at in table.places.items():
        rule, remedy = _broken_rule(title, values[at].strip(" \t"), table, rules)
        if rule:
            return Problem(title, f"{table.names[at]} {values[at][:100]!r} is {rule}", remedy)
    return None


def _broken_rule(title: str, text: str, table: RatingTable, rules: RatingRules) -> tuple[str, str]:
    """Returns what is wrong with a value of the column `title`, or "", and what to do about it."""
    if title == "timestamp":
        fault = time_fault(text, table.times)
        remedy = "write all times in one unit" if unit_of(text) else MEND_ROW
    elif title == "rating":
        number = text.replace(",", ".") if table.decimal_point == "," else text
        if _DECIMAL.fullmatch(number):
            in_range = rules.least <= np.float32(number) <= rules.most
            return "" if in_range else rules.fault, rules.remedy
        fault, remedy = "not a number", MEND_ROW
    elif rules.string_ids:
        # Arrow sees a column in it.
        colon = "" if _may_quote(table) or ":" not in text else "not free of colons"
        return id_fault(text) or colon, MEND_ROW
    else:
        fault, remedy = integer_fault(text), MEND_ROW
    if fault and (cause := cause_of(text)):
        return f"{fault} ({cause.what})", cause.remedy
    if title.endswith("_id") and fault:
        fault += STRING_IDS_HINT if _may_quote(table) else ""
    return fault, remedy
