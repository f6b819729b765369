"""Rows in a file of the user's, as columns of a pipeline's types."""

import contextlib
import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO

from pipeline.pipelines.definition import RowFormat
from transforms.base.errors import UserError
from transforms.parsing.bad_rows import without_nul
from transforms.parsing.column_names import find_columns, find_delimiter, names_columns
from transforms.parsing.integers import integer_fault
from transforms.parsing.value_faults import cause_of

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_rows(path: str, rows: RowFormat, warn: Callable[[str], None]) -> dict[str, list[Any]]:
    """Returns the columns of a file by name, each a list of int or str.

    Args:
        path: A CSV file, `.gz` or not, or a `.parquet` file. The first row of CSV may name its
            columns, in any order, with commas, semicolons, tabs or bars between; without names
            they are in the order of `rows.columns()`, with commas.
        rows: What the columns are.
        warn: Takes one line about columns that nobody asks for.

    Raises:
        UserError: A row is malformed; the message names file, line, column and value. Or the file
            cannot be read, or has no rows.
    """
    kinds = rows.columns()
    known = {name: rows.names.get(name, ()) for name in kinds}
    columns: dict[str, list[Any]] = {name: [] for name in kinds}
    places, widths = list(range(len(kinds))), {len(kinds), len(kinds) + bool(rows.ignored)}
    for number, (place, fields) in enumerate(_fields(path, rows)):
        if number == 0 and (not place or _is_header(fields, rows)):
            places, widths = find_columns(path, fields, known), {len(fields)}
            _tell_unused(path, [f for at, f in enumerate(fields) if at not in places], rows, warn)
            continue
        if len(fields) not in widths:
            expected = " or ".join(map(str, sorted(widths)))
            raise UserError(f"{place}: has {len(fields)} fields, not {expected}; mend the row")
        for (name, kind), at in zip(kinds.items(), places, strict=True):
            value = fields[at]
            fault, remedy = _fault(name, kind, value, rows)
            if fault and names_columns(fields, known):
                raise UserError(f"{place}: is a second header; remove the line")
            if fault:
                raise UserError(f"{place}: {name} {value[:100]!r} is {fault}; {remedy}")
            columns[name].append(kind(value))
    if not any(columns.values()):
        raise UserError(f"{path}: holds no rows; expected the columns {', '.join(kinds)}")
    return columns


def _is_header(fields: Sequence[str], rows: RowFormat) -> bool:
    """Whether a first row names a column that is known, or has no number where some are wanted."""
    numbers = int in rows.columns().values()
    no_digits = not any(char.isdecimal() for field in fields for char in field)
    return names_columns(fields, rows.names) or (numbers and no_digits)


def _tell_unused(
    path: str, names: Sequence[str], rows: RowFormat, warn: Callable[[str], None]
) -> None:
    label = {rows.ignored: rows.names.get(rows.ignored, ())}
    # An index without a name is nothing that somebody misspelt.
    unused = [name for name in names if name and not names_columns([name], label)]
    if unused:
        plural = "s" if len(unused) > 1 else ""
        warn(f"{path}:1: the model takes no column{plural} {', '.join(unused)[:200]}: passed over")


def _fault(name: str, kind: Callable[[str], Any], value: str, rows: RowFormat) -> tuple[str, str]:
    """Returns what is wrong with a value, or "", and what to do about it."""
    cause = cause_of(value)
    if kind is int:
        if fault := integer_fault(value):
            return (f"{fault} ({cause.what})", cause.remedy) if cause else (fault, "mend the row")
        return rows.fault(name, int(value)), "mend the row"
    if rows.unknown and cause and cause.what == "a missing value":
        return cause.what, f"write {rows.unknown} for what is not known"
    return "" if value else "not filled in", "mend the row"


def _fields(path: str, rows: RowFormat) -> Iterator[tuple[str, list[str]]]:
    """Yields place and fields, without the blanks around them, of each row that is not blank.

    The names of a Parquet file's columns come first, with no place.

    Raises:
        UserError: The file cannot be read.
    """
    if path.lower().endswith(".parquet"):
        yield from _parquet_fields(path)
        return
    try:
        with _open(path) as file:
            yield from _csv_fields(file, path, rows)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 ({error.reason}); convert the file") from error
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: {reason}; name a CSV file") from error


def _csv_fields(file: TextIO, path: str, rows: RowFormat) -> Iterator[tuple[str, list[str]]]:
    """Yields the rows of a CSV file.

    A first line that starts with "|" is none, as that of adult.test is not.
    """
    first = next((line for line in file if line.strip() and not line.startswith("|")), "")
    file.seek(0)
    reader = csv.reader(
        without_nul(file),
        delimiter=find_delimiter(first, rows.names) or ",",
        skipinitialspace=True,
        strict=True,
    )
    line = 1
    try:
        for fields in reader:
            is_title = line == 1 and "".join(fields).startswith("|")
            if any(field.strip() for field in fields) and not is_title:
                yield f"{path}:{line}", [field.strip() for field in fields]
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}:{line}: {error}; mend the row") from error


@contextlib.contextmanager
def _open(path: str) -> Iterator[TextIO]:
    opened: Any = gzip.open if path.lower().endswith(".gz") else open
    with opened(path, "rb") as file:
        encoding = "utf-16" if file.read(2) in _UTF_16 else "utf-8-sig"
    with opened(path, "rt", encoding=encoding, newline="") as file:
        yield file


def _parquet_fields(path: str) -> Iterator[tuple[str, list[str]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open(path, "rb") as file:
            table = pq.ParquetFile(file).read()
    except (OSError, pa.ArrowInvalid) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{path}: {reason}; name a Parquet file") from error
    yield "", table.column_names
    columns = [column.to_pylist() for column in table.columns]
    for number, values in enumerate(zip(*columns, strict=True), 1):
        yield f"{path}: row {number}", [_text(value).strip() for value in values]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
