"""Rows in a file of the user's, as columns of a pipeline's types."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipeline.pipelines.definition import RowFormat
from transforms.base.errors import UserError
from transforms.parsing.bad_rows import without_nul
from transforms.parsing.column_names import find_columns, find_delimiter, names_columns
from transforms.parsing.input_files import extension
from transforms.parsing.integers import integer_fault
from transforms.parsing.table_stream import open_table
from transforms.parsing.value_faults import cause_of


def read_rows(path: str, rows: RowFormat, warn: Callable[[str], None]) -> dict[str, list[Any]]:
    """Returns the columns of a file by name, each a list of int or str.

    Args:
        path: A file as `open_table` takes it. Its first row may name its columns, in any order,
            with commas, semicolons, tabs or bars between; without names they are in the order of
            `rows.columns()`, with commas.
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
        if number == 0 and (extension(path) == ".parquet" or _is_header(fields, rows)):
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

    A first line that starts with "|" is none, as that of adult.test is not.

    Raises:
        UserError: The file cannot be read.
    """
    line = 1
    try:
        with io.TextIOWrapper(open_table(path), "utf-8-sig", newline="") as file:
            first = file.readline()
            if first.startswith("|"):
                line, first = 2, file.readline()
            while first and not first.strip():
                line, first = line + 1, file.readline()
            reader = csv.reader(
                without_nul(itertools.chain([first], file)),
                delimiter=find_delimiter(first, rows.names) or ",",
                skipinitialspace=True,
                strict=True,
            )
            start = line
            for fields in reader:
                if any(field.strip() for field in fields):
                    yield f"{path}:{line}", [field.strip() for field in fields]
                line = start + reader.line_num
    except csv.Error as error:
        raise UserError(f"{path}:{line}: {error}; mend the row") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 ({error.reason}); convert the file") from error
