"""Reads MovieLens ratings, in either of the two raw formats, as Arrow record batches."""

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.filesystem import FileMetadata

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import BOM, LINE_BYTES, BadRows, too_long
from transforms.parsing.input_files import extension, match_files, open_input
from transforms.parsing.parse_ratings import DIALECTS, parse_ratings
from transforms.parsing.rating_header import parse_header
from transforms.quarantine import Quarantine


def find_ratings(pattern: str) -> list[FileMetadata]:
    """Returns the ratings files that `pattern` matches, in order of their paths.

    Args:
        pattern: A glob on any of Beam's file systems. Matches that end in neither `.dat` nor
            `.csv` are no ratings and are left out.

    Raises:
        UserError: No file is left, one is empty, or both formats are there, which would count
            every rating twice.
    """
    files = match_files(pattern, DIALECTS)
    if not files:
        raise UserError(f"{pattern}: no such file; expected ratings.dat or ratings.csv")
    for file in files:
        if file.size_in_bytes == 0:
            raise UserError(f"{file.path}: the file is empty; fill it or fetch it again")
    if len({extension(f.path) for f in files}) > 1:
        raise UserError(
            f"{pattern}: matches both {files[0].path} and {files[-1].path}; keep one of them"
        )
    return files


def read_range(
    path: str,
    start: int,
    end: int,
    max_bad_rows: int = 0,
    string_ids: bool = False,
    any_unit: bool = False,
) -> tuple[pa.RecordBatch, BadRows]:
    """Returns the ratings whose lines begin at a byte of `path` in [start, end).

    Byte order marks, CRLF, blank lines and a missing last newline are fine.

    Args:
        path: A file that ends in `.dat`, which has `::` between its fields and no header, or in
            `.csv`, which has a header; its columns are found by name and others are left out.
        start: At least 0.
        end: Above `start`, at most the size of the file.
        max_bad_rows: How many malformed rows are described; the others are counted.
        string_ids: Whether ids are text, in UTF-8, and not integers: "1" and "01" differ then.
        any_unit: Whether times may be in another unit than seconds, as they only give an order.

    Returns:
        Rows of `RATING_COLUMNS`, or of `STRING_ID_COLUMNS`, in the file's order, none if no line
        begins there; and the malformed rows.

    Raises:
        UserError: The header is malformed, a line too long, or `max_bad_rows` is 0 and a row is
            malformed: the message names file, line, column and value. No row is ever dropped in
            silence.
    """
    dialect = DIALECTS[extension(path)]
    fields = _read_header(path) if dialect.has_header else list(dialect.titles)
    lines, offset = _read_lines(path, start, end, dialect.has_header)
    return parse_ratings(lines, offset, fields, path, max_bad_rows, string_ids, any_unit)


@beam.typehints.with_output_types(pa.RecordBatch)
class ReadRatings(beam.PTransform):
    """Reads ratings files into record batches, as `read_range` does.

    A batch holds the lines of one byte range, so a file of any size is read in parallel. Counts
    `ratings/rows`, malformed ones included, and what `Quarantine` counts.

    Args:
        files: What `find_ratings` returned.
        block_bytes: Bytes of a file that make one batch.
        max_bad_rows: How many malformed rows go to `quarantine`. With more of them, the first
            one if this is 0, the pipeline fails with a UserError.
        quarantine: The file of malformed rows; not written if there are none.
        string_ids: Whether ids are text.
        any_unit: As in `read_range`.
    """

    def __init__(
        self,
        files: Sequence[FileMetadata],
        block_bytes: int,
        max_bad_rows: int = 0,
        quarantine: str = "",
        string_ids: bool = False,
        any_unit: bool = False,
    ):
        super().__init__()
        self._ranges = [
            (file.path, start, min(start + block_bytes, file.size_in_bytes))
            for file in files
            for start in range(0, file.size_in_bytes, block_bytes)
        ]
        self._max_bad_rows = max_bad_rows
        self._quarantine = quarantine
        self._read_range = _ReadRange(max_bad_rows, string_ids, any_unit)

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[pa.RecordBatch]:
        """Returns a batch for each byte range in which a row begins."""
        parsed = (
            pbegin
            # Create spreads its elements over the workers.
            | "Ranges" >> beam.Create(self._ranges)
            | "Parse" >> beam.ParDo(self._read_range).with_outputs("bad_rows", main="ratings")
        )
        if self._max_bad_rows:
            _ = parsed.bad_rows | Quarantine(self._quarantine, self._max_bad_rows)
        return parsed.ratings


class _ReadRange(beam.DoFn):
    def __init__(self, max_bad_rows: int, string_ids: bool, any_unit: bool):
        self._how = (max_bad_rows, string_ids, any_unit)

    def setup(self) -> None:
        self._rows = beam.metrics.Metrics.counter("ratings", "rows")

    # Any: Beam would take a union with TaggedOutput for the type of the main output.
    def process(self, element: tuple[str, int, int]) -> Iterator[Any]:
        ratings, bad_rows = read_range(*element, *self._how)
        self._rows.inc(ratings.num_rows + bad_rows.total)
        if bad_rows.total:
            yield beam.pvalue.TaggedOutput("bad_rows", bad_rows)
        if ratings.num_rows:
            yield ratings


def _read_header(path: str) -> list[str]:
    """Returns the column names in the first line of `path`."""
    with open_input(path) as file:
        return parse_header(file.readline(LINE_BYTES).removeprefix(BOM), path)


def _read_lines(path: str, start: int, end: int, has_header: bool) -> tuple[bytes, int]:
    """Returns the lines of a range, without header or byte order mark, and their offset."""
    # To know whether a line begins at `start`, look for a newline before it.
    begin = max(start - 1, 0)
    with open_input(path) as file:
        file.seek(begin)
        lines = file.read(end - begin)
        while not lines.endswith(b"\n") and (more := file.readline(LINE_BYTES)):
            lines += more
            if len(lines) > end - begin + LINE_BYTES:
                raise too_long(path, end)
        at_end = not file.read(1)
    if start == 0 and not has_header:
        skip = len(BOM) if lines.startswith(BOM) else 0
        return lines[skip:], skip
    skip = lines.find(b"\n") + 1 or len(lines)
    if start == 0 and at_end and not lines[skip:].strip():
        raise UserError(
            f"{path}: the file holds a header and no ratings; fill it or fetch it again"
        )
    if begin + skip >= end and start > 0:
        # No line begins here: all of it belongs to one that began earlier.
        skip = len(lines)
    return lines[skip:], begin + skip
