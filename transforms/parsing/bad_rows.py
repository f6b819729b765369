"""Malformed lines of a text file: found one by one, described, and refused or set aside."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from transforms.base.errors import UserError
from transforms.parsing.table_stream import open_table

BOM = b"\xef\xbb\xbf"
"""The byte order mark of UTF-8: at the start of a file it means nothing, elsewhere it is a fault.
"""

LINE_BYTES = 1 << 17
"""The longest line that is read; longer ones mean that the file is no table of rows."""

_CHUNK = 16 << 20


MEND_ROW = "mend the row or remove it"
"""What to do if nothing is wrong but this row."""


class Problem(NamedTuple):
    """What is wrong with a row.

    Attributes:
        column: Where; "" is the row as a whole.
        reason: A clause that names column and value.
        remedy: What to do.
    """

    column: str
    reason: str
    remedy: str = MEND_ROW


class BadRow(NamedTuple):
    """A malformed row.

    Attributes:
        path: Its file.
        offset: The byte of the file's lines, unpacked, at which it begins.
        problem: What is wrong with it.
        raw: Its bytes, without the line's end.
    """

    path: str
    offset: int
    problem: Problem
    raw: bytes


class BadRows(NamedTuple):
    """Malformed rows, by file and place.

    Attributes:
        total: How many there are.
        first: The first of them, as many as may be set aside.
    """

    total: int
    first: Sequence[BadRow]


NO_BAD_ROWS = BadRows(0, ())


def need_a_look(lines: bytes) -> bool:
    """Whether some line may be one that a parser of columns takes, but `line_fault` does not."""
    if b"\0" in lines or lines.startswith(BOM):
        return True
    if b"\r" in lines and lines.count(b"\r") != lines.count(b"\r\n"):
        return True
    at = 0
    while len(lines) - at > LINE_BYTES:
        newline = lines.rfind(b"\n", at, at + LINE_BYTES + 1)
        if newline < 0:
            return True
        at = newline + 1
    return False


def line_fault(line: bytes) -> str:
    """Returns what makes a line, without its end, no row of any format, or ""."""
    if b"\0" in line:
        return "holds a NUL byte"
    # Some parsers end a row here and some do not, so that its number would depend on them.
    return "holds a carriage return, which ends no line by itself" if b"\r" in line else ""


def without_nul(lines: Iterable[str]) -> Iterator[str]:
    """Yields lines for `csv.reader`, which takes a NUL for a character like any other.

    Raises:
        csv.Error: A line holds one.
    """
    for line in lines:
        if "\0" in line:
            raise csv.Error("holds a NUL byte")
        yield line


def set_aside(
    lines: bytes,
    offset: int,
    path: str,
    find_problem: Callable[[bytes], Problem | None],
    max_bad_rows: int,
) -> tuple[bytes, BadRows]:
    """Returns the lines that are well formed, and the others.

    Args:
        lines: Whole lines.
        offset: Where they begin in `path`.
        path: The file.
        find_problem: Tells what is wrong with a line, without its end; blank lines have none.
        max_bad_rows: How many malformed rows to describe; the others are counted.

    Raises:
        UserError: A line is longer than `LINE_BYTES`, or malformed while `max_bad_rows` is 0.
    """
    kept: list[bytes] = []
    first: list[BadRow] = []
    count = 0
    for line in _split(lines):
        raw = line.removesuffix(b"\n").removesuffix(b"\r")
        if len(raw) > LINE_BYTES:
            raise too_long(path, offset)
        problem = find_problem(raw)
        if problem is None:
            kept.append(line)
        elif not max_bad_rows:
            (number,) = line_numbers(path, [offset])
            raise UserError(f"{path}:{number}: {problem.reason}; {problem.remedy}")
        else:
            count += 1
            if count <= max_bad_rows:
                first.append(BadRow(path, offset, problem, raw))
        offset += len(line)
    return b"".join(kept), BadRows(count, first)


def _split(lines: bytes) -> Iterator[bytes]:
    """Yields the lines with their ends; unlike bytes.splitlines, at newlines alone."""
    start = 0
    while start < len(lines):
        end = lines.find(b"\n", start) + 1 or len(lines)
        yield lines[start:end]
        start = end


def merge(parts: Iterable[BadRows], max_bad_rows: int) -> BadRows:
    """Returns the bad rows of all parts, by file and place, and no more of them than are kept."""
    parts = list(parts)
    rows = sorted(row for part in parts for row in part.first)
    return BadRows(sum(part.total for part in parts), rows[:max_bad_rows])


def line_numbers(path: str, offsets: Iterable[int]) -> Iterator[int]:
    """Yields the number, from 1, of the line of `path` that holds each of ascending offsets."""
    number, at = 1, 0
    with open_table(path) as file:
        for offset in offsets:
            while at < offset and (chunk := file.read(min(offset - at, _CHUNK))):
                number += chunk.count(b"\n")
                at += len(chunk)
            yield number


def too_long(path: str, offset: int) -> UserError:
    """Returns the refusal of the line of `path` that holds byte `offset`."""
    (number,) = line_numbers(path, [offset])
    return UserError(
        f"{path}:{number}: the line is longer than {LINE_BYTES} bytes; mend the row or remove it"
    )
