"""Opens a table of rows as lines in UTF-8, however it is packed."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from transforms.base.errors import UserError
from transforms.parsing.input_files import extension, open_input

_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
_PARQUET = ".parquet"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ROWS = 1 << 16


def is_plain(path: str) -> bool:
    """Returns whether the lines of `open_table` are the bytes of the file as they are."""
    if extension(path) in (*_COMPRESSED, _PARQUET):
        return False
    with open_input(path) as file:
        return file.read(2) not in _UTF_16


def open_table(path: str) -> BinaryIO:
    """Returns the lines of a file: unpacked if it ends in `.gz` or `.zst`, in UTF-8 if in UTF-16.

    A `.parquet` file is a CSV file with a header. Only a file that `is_plain` can be sought in.

    Raises:
        UserError: The file cannot be opened, or is no Parquet file. Once it is read: it is damaged.
    """
    file = open_input(path)
    if extension(path) == _PARQUET:
        return io.BufferedReader(_Chunks(path, _rows_of_parquet(file)))
    if codec := _COMPRESSED.get(extension(path)):
        unpacked = pa.CompressedInputStream(pa.PythonFile(file, "r"), codec)
        file = io.BufferedReader(_Chunks(path, iter(lambda: unpacked.read(_ROWS), b"")))
        mark = file.peek(2)[:2]
    else:
        mark = file.read(2)
        file.seek(0)
    if mark in _UTF_16:
        text = io.TextIOWrapper(file, "utf-16", newline="")
        chunks = iter(lambda: text.read(_ROWS).encode(errors="surrogatepass"), b"")
        return io.BufferedReader(_Chunks(path, chunks))
    return file


class _Chunks(io.RawIOBase):
    """A stream of what an iterator yields."""

    def __init__(self, path: str, chunks: Iterator[bytes]):
        super().__init__()
        self._path, self._chunks, self._left = path, chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            self._left = self._left or next(self._chunks, b"")
        except (OSError, ValueError) as error:
            if isinstance(error, UserError):
                raise
            reason = str(error).splitlines()[0]
            raise UserError(f"{self._path}: is damaged ({reason}); fetch it again") from error
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def _rows_of_parquet(file: BinaryIO) -> Iterator[bytes]:
    # Few have Parquet, and everyone else is spared it.
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file)
    names = [field.name for field in table.schema_arrow if not pa.types.is_nested(field.type)]
    head = True
    for batch in table.iter_batches(_ROWS, columns=names):
        columns = [
            column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            for column in batch.columns
        ]
        rows = io.BytesIO()
        options = pa_csv.WriteOptions(include_header=head)
        pa_csv.write_csv(pa.RecordBatch.from_arrays(columns, names), rows, options)
        head = False
        yield rows.getvalue()
