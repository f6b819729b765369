"""Reads ratings, of whatever layout and packing, as Arrow record batches."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
from absl import logging

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import LINE_BYTES, BadRows, too_long
from transforms.parsing.file_names import RATINGS, ratings_among
from transforms.parsing.input_files import find_files, open_input
from transforms.parsing.parse_ratings import parse_ratings
from transforms.parsing.rating_rules import STARS, RatingRules
from transforms.parsing.rating_table import RatingTable, find_table
from transforms.parsing.table_stream import open_table
from transforms.quarantine import Quarantine


def find_tables(
    pattern: str, columns: Mapping[str, str], needs_rating: bool = True
) -> list[RatingTable]:
    """Returns the files with ratings that `pattern` leads to, and how they are written.

    Args:
        pattern: As in `find_files`.
        columns: As in `find_table`.
        needs_rating: As in `find_table`.

    Raises:
        UserError: There is none, or several may be meant; one is empty or as `find_table` says; or
            times have different units.
    """
    files = find_files(pattern, ratings_among)
    if not files:
        raise UserError(f"{pattern}: no ratings; expected {RATINGS}")
    for file in files:
        if file.size_in_bytes == 0:
            raise UserError(f"{file.path}: the file is empty; fill it or fetch it again")
    tables = [find_table(file.path, file.size_in_bytes, columns, needs_rating) for file in files]
    for table in tables:
        if table.times != tables[0].times or {*table.places} != {*tables[0].places}:
            raise UserError(
                f"{tables[0].path}: {tables[0].described()}, but {table.path}: "
                f"{table.described()}; parts of one data set have to be alike"
            )
    return tables


def read_as(tables: Sequence[RatingTable]) -> list[str]:
    """Returns what was taken for what, a line for each file, and logs it."""
    lines = [f"{os.path.basename(table.path)}: {table.described()}" for table in tables]
    for line in lines:
        logging.info("read as %s", line)
    return lines


def read_range(
    table: RatingTable, start: int, end: int, rules: RatingRules = STARS, max_bad_rows: int = 0
) -> tuple[pa.RecordBatch, BadRows]:
    """Returns the ratings whose lines begin at a byte of a plain file in [start, end).

    Byte order marks, CRLF, blank lines and a missing last newline are fine.

    Args:
        table: The file, and how it is written.
        start: At least the table's `start`.
        end: Above `start`, at most the size of the file.
        rules: What values are let through.
        max_bad_rows: How many malformed rows are described; the others are counted.

    Returns:
        What `parse_ratings` does, in the file's order, no rows if no line begins there.

    Raises:
        UserError: A line is too long, or `max_bad_rows` is 0 and a row is malformed: the message
            names file, line, column and value. No row is ever dropped in silence.
    """
    lines, offset = _read_lines(table.path, start, end, first=start == table.start)
    return parse_ratings(lines, offset, table, rules, max_bad_rows)


def read_blocks(
    table: RatingTable, block_bytes: int, rules: RatingRules = STARS, max_bad_rows: int = 0
) -> Iterator[tuple[pa.RecordBatch, BadRows]]:
    """Yields the ratings of any file, from its start to its end, as `read_range` does."""
    with open_table(table.path) as file:
        offset = table.start
        _skip(file, offset)
        while lines := file.read(block_bytes):
            lines += file.readline(LINE_BYTES)
            if len(lines) > block_bytes and not lines.endswith(b"\n") and file.read(1):
                raise too_long(table.path, offset + block_bytes)
            yield parse_ratings(lines, offset, table, rules, max_bad_rows)
            offset += len(lines)


@beam.typehints.with_output_types(pa.RecordBatch)
class ReadRatings(beam.PTransform):
    """Reads ratings files into record batches, as `read_range` and `read_blocks` do.

    A batch holds the lines of one byte range, so a plain file of any size is read in parallel. One
    that is packed is read from its start to its end. Counts `ratings/rows`, malformed ones
    included, and what `Quarantine` counts.

    Args:
        tables: What `find_tables` returned.
        block_bytes: Bytes of a file's lines that make one batch.
        rules: What values are let through.
        max_bad_rows: How many malformed rows go to `quarantine`. With more of them, the first
            one if this is 0, the pipeline fails with a UserError.
        quarantine: The file of malformed rows; not written if there are none.
    """

    def __init__(
        self,
        tables: Sequence[RatingTable],
        block_bytes: int,
        rules: RatingRules = STARS,
        max_bad_rows: int = 0,
        quarantine: str = "",
    ):
        super().__init__()
        self._ranges = [
            (at, start, min(start + step, table.size))
            for at, table in enumerate(tables)
            for step in [block_bytes if table.plain else table.size]
            for start in range(table.start if table.plain else 0, table.size, step)
        ]
        self._max_bad_rows = max_bad_rows
        self._quarantine = quarantine
        self._read = _Read(tables, block_bytes, rules, max_bad_rows)

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[pa.RecordBatch]:
        """Returns a batch for each byte range in which a row begins."""
        parsed = (
            pbegin
            # Create spreads its elements over the workers.
            | "Ranges" >> beam.Create(self._ranges)
            | "Parse" >> beam.ParDo(self._read).with_outputs("bad_rows", main="ratings")
        )
        if self._max_bad_rows:
            _ = parsed.bad_rows | Quarantine(self._quarantine, self._max_bad_rows)
        return parsed.ratings


class _Read(beam.DoFn):
    def __init__(
        self, tables: Sequence[RatingTable], block_bytes: int, rules: RatingRules, max_bad_rows: int
    ):
        self._tables = tables
        self._block_bytes = block_bytes
        self._how = (rules, max_bad_rows)

    def setup(self) -> None:
        self._rows = beam.metrics.Metrics.counter("ratings", "rows")

    # Any: Beam would take a union with TaggedOutput for the type of the main output.
    def process(self, element: tuple[int, int, int]) -> Iterator[Any]:
        at, start, end = element
        table = self._tables[at]
        blocks = (
            iter([read_range(table, start, end, *self._how)])
            if table.plain
            else read_blocks(table, self._block_bytes, *self._how)
        )
        for ratings, bad_rows in blocks:
            self._rows.inc(ratings.num_rows + bad_rows.total)
            if bad_rows.total:
                yield beam.pvalue.TaggedOutput("bad_rows", bad_rows)
            if ratings.num_rows:
                yield ratings


def _skip(file: Any, count: int) -> None:
    while count and (skipped := file.read(count)):
        count -= len(skipped)


def _read_lines(path: str, start: int, end: int, first: bool) -> tuple[bytes, int]:
    """Returns the lines of a range, and their offset; a line begins at the `first` range."""
    # To know whether a line begins at `start`, look for a newline before it.
    begin = start if first else start - 1
    with open_input(path) as file:
        file.seek(begin)
        lines = file.read(end - begin)
        while not lines.endswith(b"\n") and (more := file.readline(LINE_BYTES)):
            lines += more
            if len(lines) > end - begin + LINE_BYTES:
                raise too_long(path, end)
    if first:
        return lines, begin
    skip = lines.find(b"\n") + 1 or len(lines)
    if begin + skip >= end:
        # No line begins here: all of it belongs to one that began earlier.
        skip = len(lines)
    return lines[skip:], begin + skip
