"""Reads UCI Adult (Census Income) files as Arrow record batches."""

import os
import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from transforms.errors import UserError

__all__ = ["CENSUS_COLUMNS", "find_census", "read_census"]

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

_FIELDS = (*CENSUS_COLUMNS.names[:-1], "income_bracket")
# In adult.test a full stop ends each row. A position's parity is the label.
_BRACKETS = ("<=50K", ">50K", "<=50K.", ">50K.")
_INTEGER = r"^-?[0-9]{1,18}$"
_BLANK_LINE = re.compile(rb"^[ \t\r]+$", re.MULTILINE)


def find_census(pattern: str) -> dict[str, list[str]]:
    """Returns the paths that `pattern` matches, sorted, by their extension, `.data` or `.test`.

    Args:
        pattern: A glob on any of Beam's file systems. Other matches, such as `adult.names`, are
            left out.
    """
    paths = sorted(f.path for f in FileSystems.match([pattern])[0].metadata_list)
    return {
        extension: [path for path in paths if os.path.splitext(path)[1] == extension]
        for extension in (".data", ".test")
    }


def read_census(path: str) -> pa.RecordBatch:
    """Returns all rows of an Adult file, in its order, with the schema `CENSUS_COLUMNS`.

    Spaces around values, blank lines, the full stop that ends the rows of `adult.test` and a
    first line that starts with `|`, as that file's does, are dropped. `?` is a value like others.

    Args:
        path: A file on any of Beam's file systems. It is one block: the original has 4 MB.

    Raises:
        UserError: A row does not have 15 fields, an integer is none, a category is empty or the
            income bracket unknown: the message names file, line, column and value. Or no row is
            there.
    """
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        content = file.read()
    rows = content.partition(b"\n")[2] if content.startswith(b"|") else content
    rows = _BLANK_LINE.sub(b"", rows)
    if not rows.strip():
        raise UserError(f"{path}: the file holds no rows; fetch it again")
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(rows),
            pa_csv.ReadOptions(column_names=_FIELDS),
            pa_csv.ParseOptions(quote_char=False),
            pa_csv.ConvertOptions(column_types=dict.fromkeys(_FIELDS, pa.string())),
        )
        columns = [
            _convert(pc.utf8_trim_whitespace(column.combine_chunks()), field)
            for column, field in zip(table.columns, CENSUS_COLUMNS, strict=True)
        ]
    except pa.ArrowInvalid as error:
        _raise_for_bad_row(content, path)
        raise UserError(f"{path}: {str(error).splitlines()[0]}") from error
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


def _raise_for_bad_row(content: bytes, path: str) -> None:
    """Raises a `UserError` for the first row that is malformed; returns if none is."""
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip() or (number == 1 and line.startswith(b"|")):
            continue
        problem = _problem(line)
        if problem:
            raise UserError(f"{path}:{number}: {problem}; mend the row or remove it")


def _problem(line: bytes) -> str:
    try:
        text = line.decode().strip()
    except UnicodeDecodeError:
        return f"{line[:100]!r} is not UTF-8"
    values = [value.strip() for value in text.split(",")]
    if len(values) != len(_FIELDS):
        return f"{text[:100]!r} has {len(values)} fields, not {len(_FIELDS)}"
    for name, field, value in zip(_FIELDS, CENSUS_COLUMNS, values, strict=True):
        if field.name == "label":
            broken = "" if value in _BRACKETS else "neither <=50K nor >50K"
        elif pa.types.is_string(field.type):
            broken = "" if value else "empty (unknown is written ?)"
        else:
            broken = "" if re.match(_INTEGER, value) else "not an integer"
        if broken:
            return f"{name} {value[:100]!r} is {broken}"
    return ""
