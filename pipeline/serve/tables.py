"""Writes what a model tells, as a table."""

import csv
import gzip
from typing import Any, TextIO

import pyarrow as pa

from transforms.base.whole_file import output_file

STDOUT = "-"
"""Stands for standard output where a file is named."""


def write_table(table: pa.Table, path: str, stdout: TextIO) -> None:
    """Writes rows to a file, whole or not at all: as Parquet if it is called so, else as CSV.

    Args:
        table: The rows.
        path: The file; CSV is compressed if it ends in `.gz`. STDOUT writes CSV to `stdout`.
        stdout: Standard output.

    Raises:
        UserError: The file cannot be written.
    """
    if path == STDOUT:
        _write_csv(table, stdout)
        return
    with output_file(path) as partial:
        if path.lower().endswith(".parquet"):
            import pyarrow.parquet as pq

            pq.write_table(table, partial)
            return
        opened: Any = gzip.open if path.lower().endswith(".gz") else open
        with opened(partial, "wt", encoding="utf-8", newline="") as file:
            _write_csv(table, file)


def _write_csv(table: pa.Table, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
