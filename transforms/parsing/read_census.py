"""Reads UCI Adult (Census Income) files as Arrow record batches."""

import contextlib
import csv
import os
import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import (
    BOM,
    MEND_ROW,
    NO_BAD_ROWS,
    BadRows,
    Problem,
    line_fault,
    need_a_look,
    set_aside,
)
from transforms.parsing.census_layout import CENSUS_NAMES, LABEL, Layout, find_layout
from transforms.parsing.column_names import names_columns
from transforms.parsing.input_files import match_files
from transforms.parsing.table_stream import open_table
from transforms.parsing.value_faults import cause_of

CENSUS_COLUMNS = pa.schema(
    [
        ("age", pa.int64()),
        ("workclass", pa.string()),
        ("fnlwgt", pa.int64()),
        ("education", pa.string()),
        ("education_num", pa.int64()),
        ("marital_status", pa.string()),
        ("occupation", pa.string()),
        ("relationship", pa.string()),
        ("race", pa.string()),
        ("gender", pa.string()),
        ("capital_gain", pa.int64()),
        ("capital_loss", pa.int64()),
        ("hours_per_week", pa.int64()),
        ("native_country", pa.string()),
        ("label", pa.int64()),
    ]
)
"""What `read_census` returns; `label` is 1 where the file's income_bracket is >50K, else 0."""

_FIELDS = tuple(CENSUS_NAMES)
# In adult.test a full stop ends each row. A position's parity is the label.
_BRACKETS = ("<=50K", ">50K", "<=50K.", ">50K.")
_INTEGER = r"^-?[0-9]{1,18}$"
_BLANK_LINE = re.compile(rb"^[ \t\r\v\f]+$", re.MULTILINE)


def find_census(pattern: str) -> dict[str, list[str]]:
    """Returns the paths that `pattern` matches, sorted, by their extension.

    `.data` and `.test` are the two published files, `.csv` is one with the rows of both.

    Args:
        pattern: A glob on any of Beam's file systems. Other matches, such as `adult.names` and
            `adult.old.data`, are left out.

    Raises:
        UserError: Both forms are there.
    """
    found = {
        kind: [
            file.path
            for file in match_files(pattern, (kind,))
            if os.path.basename(file.path).count(".") == 1
        ]
        for kind in (".data", ".test", ".csv")
    }
    files = found[".csv"] + found[".data"] + found[".test"]
    if found[".csv"] and len(files) > len(found[".csv"]):
        raise UserError(f"{files[0]}: lies beside {files[-1]}; keep one of the two forms")
    return found


def read_census(path: str, max_bad_rows: int = 0) -> tuple[pa.RecordBatch, BadRows]:
    """Returns all rows of an Adult file, in its order, with the schema `CENSUS_COLUMNS`.

    Args:
        path: A file on any of Beam's file systems. It is one block: the original has 4 MB.
        max_bad_rows: As in `parse_census`.

    Raises:
        UserError: As in `parse_census`.
    """
    with open_table(path) as file:
        return parse_census(file.read(), path, max_bad_rows)


def parse_census(content: bytes, path: str, max_bad_rows: int) -> tuple[pa.RecordBatch, BadRows]:
    """Returns the rows of an Adult file, and those that are malformed.

    Spaces around values, blank lines, a byte order mark, the full stop that ends the rows of
    `adult.test` and a first line that starts with `|`, as that file's does, are dropped. `?` is a
    value like others. Where the first line names the columns, as in `find_layout`, others are left
    out and values may be in quotes.

    Args:
        content: The file.
        path: Its name.
        max_bad_rows: How many malformed rows are described; the others are counted.

    Returns:
        Rows of `CENSUS_COLUMNS`, and what was left out of them.

    Raises:
        UserError: No row is there, its header lacks a column, a line is too
            long, or `max_bad_rows` is 0 and a row is malformed: it has too few fields or too many,
            an integer is none, a category is empty or the income bracket unknown. The message
            names file, line, column and value.
    """
    offset = len(BOM) if content.startswith(BOM) else 0
    if content.startswith(b"|", offset):
        offset = content.find(b"\n", offset) + 1 or len(content)
    layout, offset = find_layout(content, offset, path)
    rows = content[offset:]
    if not rows.strip():
        raise UserError(f"{path}: the file holds no rows; fill it or fetch it again")
    if not (need_a_look(rows) or layout.misleads_arrow(rows)):
        with contextlib.suppress(pa.ArrowInvalid):
            return _convert_rows(rows, layout), NO_BAD_ROWS
    kept, bad = set_aside(
        rows, offset, path, lambda line: _find_problem(line, layout), max_bad_rows
    )
    try:
        return _convert_rows(kept, layout), bad
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: {str(error).splitlines()[0]}") from error


def _convert_rows(rows: bytes, layout: Layout) -> pa.RecordBatch:
    """Returns the columns; raises ArrowInvalid, without a place, for a bad value."""
    rows = _BLANK_LINE.sub(b"", rows)
    if not rows.strip():
        return pa.RecordBatch.from_pylist([], schema=CENSUS_COLUMNS)
    # Not read_csv, which searches the whole heap for references to its frame (pyarrow 10).
    names = [str(at) for at in range(layout.width)]
    wanted = [names[at] for at in layout.places]
    table = pa_csv.open_csv(
        pa.BufferReader(rows),
        pa_csv.ReadOptions(column_names=names),
        pa_csv.ParseOptions(delimiter=layout.delimiter, quote_char='"' if layout.quoted else False),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted
        ),
    ).read_all()
    columns = [
        _convert(pc.utf8_trim_whitespace(column.combine_chunks()), field)
        for column, field in zip(table.columns, CENSUS_COLUMNS, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=CENSUS_COLUMNS)


def _convert(text: pa.StringArray, field: pa.Field) -> pa.Array:
    """Returns a column in its type; raises ArrowInvalid, without a place, for a bad value."""
    if field.name == "label":
        position = pc.index_in(text, pa.array(_BRACKETS))
        if position.null_count:
            raise pa.ArrowInvalid("unknown income_bracket")
        return pc.bit_wise_and(position, 1).cast(pa.int64())
    if pa.types.is_string(field.type):
        if pc.any(pc.equal(text, "")).as_py():
            raise pa.ArrowInvalid(f"empty {field.name}")
        return text
    if not pc.all(pc.match_substring_regex(text, _INTEGER)).as_py():
        raise pa.ArrowInvalid(f"{field.name} is not an integer")
    return text.cast(pa.int64())


def _find_problem(line: bytes, layout: Layout) -> Problem | None:
    """Returns what is wrong with a line, which may be blank."""
    if not line.strip():
        return None
    if fault := line_fault(line):
        return Problem("", f"{line[:100]!r} {fault}")
    try:
        text = line.decode().strip()
        values = layout.split(line.decode())
    except UnicodeDecodeError:
        return Problem("", f"{line[:100]!r} is not UTF-8")
    except csv.Error as error:
        return Problem("", f"{text[:100]!r}: {error}")
    if len(values) != layout.width:
        return Problem("", f"{text[:100]!r} has {len(values)} fields, not {layout.width}")
    for name, at, field in zip(_FIELDS, layout.places, CENSUS_COLUMNS, strict=True):
        value = values[at]
        broken, remedy = "", MEND_ROW
        if name == LABEL:
            broken = "" if value in _BRACKETS else "neither <=50K nor >50K"
        elif pa.types.is_string(field.type):
            broken = "" if value else "empty (unknown is written ?)"
        elif not re.match(_INTEGER, value):
            cause = cause_of(value)
            broken = f"not an integer ({cause.what})" if cause else "not an integer"
            remedy = cause.remedy if cause else MEND_ROW
        if broken and names_columns(values, CENSUS_NAMES):
            return Problem("", f"{text[:100]!r} is a second header")
        if broken:
            return Problem(name, f"{name} {value[:100]!r} is {broken}", remedy)
    return None
