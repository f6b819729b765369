"""Reads MovieLens ratings, in either of the two raw formats, as Arrow record batches."""

import csv
import os
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from apache_beam.io.filesystem import CompressionTypes, FileMetadata
from apache_beam.io.filesystems import FileSystems

from transforms.errors import UserError

__all__ = ["RATING_COLUMNS", "ReadRatings", "find_ratings", "read_range"]

RATING_COLUMNS = pa.schema(
    [
        ("user_id", pa.int64()),
        ("item_id", pa.int64()),
        ("rating", pa.float32()),
        ("timestamp", pa.int64()),
    ]
)

_BLOCK_BYTES = 16 << 20
_LINE_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_DECIMAL = re.compile(r"-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_INT64 = np.iinfo(np.int64)


class _Dialect(NamedTuple):
    """How a file spells its rows: the field separator and the names of the four columns."""

    separator: str
    titles: tuple[str, ...]
    has_header: bool


_DIALECTS = {
    ".dat": _Dialect("::", tuple(RATING_COLUMNS.names), has_header=False),
    ".csv": _Dialect(",", ("userId", "movieId", "rating", "timestamp"), has_header=True),
}


def find_ratings(pattern: str) -> list[FileMetadata]:
    """Returns the ratings files that `pattern` matches, in order of their paths.

    Args:
        pattern: A glob on any of Beam's file systems. Matches that end in neither `.dat` nor
            `.csv` are no ratings and are left out.

    Raises:
        UserError: No file is left, one is empty, or both formats are there, which would count
            every rating twice.
    """
    matched = FileSystems.match([pattern])[0].metadata_list
    files = sorted((f for f in matched if _extension(f.path) in _DIALECTS), key=lambda f: f.path)
    if not files:
        raise UserError(f"{pattern}: no such file; expected ratings.dat or ratings.csv")
    for file in files:
        if file.size_in_bytes == 0:
            raise UserError(f"{file.path}: the file is empty; fetch it again")
    if len({_extension(f.path) for f in files}) > 1:
        raise UserError(
            f"{pattern}: matches both {files[0].path} and {files[-1].path}; keep one of them"
        )
    return files


def read_range(path: str, start: int, end: int) -> pa.RecordBatch:
    """Returns the ratings whose lines begin at a byte of `path` in [start, end).

    Byte order marks, CRLF, blank lines and a missing last newline are fine.

    Args:
        path: A file that ends in `.dat`, which has `::` between its fields and no header, or in
            `.csv`, which has a header; its columns are found by name and others are left out.
        start: At least 0.
        end: Above `start`, at most the size of the file.

    Returns:
        Rows of `RATING_COLUMNS`, in the file's order. There are none if no line begins there.

    Raises:
        UserError: A row or the header is malformed: the message names file, line, column and
            value. No row is ever dropped in silence.
    """
    dialect = _DIALECTS[_extension(path)]
    fields = _read_header(path) if dialect.has_header else list(dialect.titles)
    lines, offset = _read_lines(path, start, end, dialect.has_header)
    return _parse(lines, offset, fields, path)


@beam.typehints.with_output_types(pa.RecordBatch)
class ReadRatings(beam.PTransform):
    """Reads ratings files into record batches of `RATING_COLUMNS`, as `read_range` does.

    A batch holds the lines of one byte range, so a file of any size is read in parallel. Counts
    `ratings/rows`.

    Args:
        files: What `find_ratings` returned.
        block_bytes: Bytes of a file that make one batch.
    """

    def __init__(self, files: Sequence[FileMetadata], block_bytes: int = _BLOCK_BYTES):
        super().__init__()
        self._ranges = [
            (file.path, start, min(start + block_bytes, file.size_in_bytes))
            for file in files
            for start in range(0, file.size_in_bytes, block_bytes)
        ]

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[pa.RecordBatch]:
        """Returns a batch for each byte range in which a row begins."""
        return (
            pbegin
            | "Ranges" >> beam.Create(self._ranges)
            | "Spread" >> beam.Reshuffle()
            | "Parse" >> beam.ParDo(_ReadRange())
        )


class _ReadRange(beam.DoFn):
    def setup(self) -> None:
        self._rows = beam.metrics.Metrics.counter("ratings", "rows")

    def process(self, element: tuple[str, int, int]) -> Iterator[pa.RecordBatch]:
        ratings = read_range(*element)
        self._rows.inc(ratings.num_rows)
        if ratings.num_rows:
            yield ratings


def _extension(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _open(path: str) -> BinaryIO:
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def _read_header(path: str) -> list[str]:
    """Returns the column names in the first line of `path`."""
    with _open(path) as file:
        line = file.readline(_LINE_BYTES).removeprefix(_BOM)
    names = [name.strip() for name in next(csv.reader([line.decode(errors="replace").strip()]), [])]
    for title in _DIALECTS[".csv"].titles:
        if names.count(title) != 1:
            raise UserError(
                f"{path}:1: column {title} must occur once in the header, which is "
                f"{','.join(names)[:200]!r}; mend the header"
            )
    return names


def _read_lines(path: str, start: int, end: int, has_header: bool) -> tuple[bytes, int]:
    """Returns the lines of a range, without header or byte order mark, and their offset."""
    # To know whether a line begins at `start`, look for a newline before it.
    begin = max(start - 1, 0)
    with _open(path) as file:
        file.seek(begin)
        lines = file.read(end - begin)
        while not lines.endswith(b"\n") and (more := file.readline(_LINE_BYTES)):
            lines += more
            if len(lines) > end - begin + _LINE_BYTES:
                raise UserError(
                    f"{path}:{_line_number(path, end)}: the line is longer than {_LINE_BYTES} "
                    "bytes; mend the row or remove it"
                )
        at_end = not file.read(1)
    if start == 0 and not has_header:
        skip = len(_BOM) if lines.startswith(_BOM) else 0
        return lines[skip:], skip
    skip = lines.find(b"\n") + 1 or len(lines)
    if start == 0 and at_end and not lines[skip:].strip():
        raise UserError(f"{path}: the file holds a header and no ratings; fetch it again")
    if begin + skip >= end and start > 0:
        # No line begins here: all of it belongs to one that began earlier.
        skip = len(lines)
    return lines[skip:], begin + skip


def _parse(lines: bytes, offset: int, fields: list[str], path: str) -> pa.RecordBatch:
    """Returns the four columns of whole `lines`, which begin at byte `offset` of `path`.

    Args:
        lines: Rows, without a header.
        offset: Where they begin, for messages.
        fields: The file's column names, in its order.
        path: The file, which also tells the dialect.
    """
    if not lines or lines.isspace():
        return pa.RecordBatch.from_pylist([], schema=RATING_COLUMNS)
    dialect = _DIALECTS[_extension(path)]
    names = fields
    types = dict(zip(dialect.titles, RATING_COLUMNS.types, strict=True))
    if dialect.separator == "::":
        # Arrow separates by one byte, so `::` holds a column, which has to be empty everywhere.
        names = [name for field in fields for name in (field, f"after {field}")][:-1]
        types |= dict.fromkeys(names[1::2], pa.null())
    somewhere = f"{path}: bytes {offset} to {offset + len(lines)}: "
    try:
        # Not read_csv, which searches the whole heap for references to its frame (pyarrow 10).
        table = pa_csv.open_csv(
            pa.BufferReader(lines),
            pa_csv.ReadOptions(column_names=names, block_size=_LINE_BYTES),
            pa_csv.ParseOptions(
                delimiter=dialect.separator[0],
                quote_char='"' if dialect.has_header else False,
            ),
            pa_csv.ConvertOptions(
                column_types=types, null_values=[""], include_columns=list(types)
            ),
        ).read_all()
    except pa.ArrowInvalid as error:
        raise _bad_row(lines, offset, fields, path) or UserError(
            somewhere + str(error).splitlines()[0]
        ) from error
    columns = [table[title].combine_chunks() for title in dialect.titles]
    ratings = pa.RecordBatch.from_arrays(columns, schema=RATING_COLUMNS)
    if not _in_range(ratings):
        raise _bad_row(lines, offset, fields, path) or UserError(somewhere + "a value is missing")
    if _may_hold_hexadecimal(lines) and (bad := _bad_row(lines, offset, fields, path)):
        raise bad
    return ratings


def _in_range(ratings: pa.RecordBatch) -> bool:
    if any(column.null_count for column in ratings.columns):
        return False
    rating = ratings["rating"].to_numpy()
    # Written so that NaN, which compares false, is out of range.
    return bool(
        rating.min() > 0 and rating.max() <= 5 and pc.min(ratings["timestamp"]).as_py() >= 0
    )


def _may_hold_hexadecimal(lines: bytes) -> bool:
    """Arrow takes 0x1F for an integer; one byte is searched first as that is far quicker."""
    return any(x in lines and b"0" + x in lines for x in (b"x", b"X"))


def _line_number(path: str, offset: int) -> int:
    """Returns the number, from 1, of the line of `path` that holds byte `offset`."""
    lines = 1
    with _open(path) as file:
        while offset and (chunk := file.read(min(offset, _BLOCK_BYTES))):
            lines += chunk.count(b"\n")
            offset -= len(chunk)
    return lines


def _bad_row(lines: bytes, offset: int, fields: list[str], path: str) -> UserError | None:
    """Returns what is wrong with the first row that is malformed, or None if none is."""
    dialect = _DIALECTS[_extension(path)]
    place = [fields.index(title) for title in dialect.titles]
    for row, line in enumerate(lines.decode(errors="replace").split("\n")):
        text = line.removesuffix("\r")
        if not text:
            continue
        try:
            values = next(csv.reader([text])) if dialect.has_header else text.split("::")
        except csv.Error:
            values = []
        if len(values) != len(fields):
            problem = f"{text[:100]!r} does not have {len(fields)} fields"
        else:
            named = zip(dialect.titles, RATING_COLUMNS.names, place, strict=True)
            problems = (
                f"{title} {values[at][:100]!r} is {rule}"
                for title, name, at in named
                if (rule := _broken_rule(name, values[at].strip(" \t")))
            )
            problem = next(problems, "")
        if problem:
            number = _line_number(path, offset) + row
            return UserError(f"{path}:{number}: {problem}; mend the row or remove it")
    return None


def _broken_rule(column: str, text: str) -> str:
    """Returns what is wrong with a value of `column`, or ""."""
    if column == "rating":
        if not _DECIMAL.fullmatch(text):
            return "not a number"
        return "" if 0 < np.float32(text) <= 5 else "not above 0 and at most 5"
    if not _INTEGER.fullmatch(text):
        return "not an integer"
    if len(text.lstrip("-0")) > 19 or not _INT64.min <= int(text) <= _INT64.max:
        return "outside the range of int64"
    return "negative" if column == "timestamp" and int(text) < 0 else ""
