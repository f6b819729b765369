"""Bad rows in a file of their own, if they are few enough."""

import json
from collections.abc import Iterator
from itertools import groupby

import apache_beam as beam

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import BadRow, BadRows, line_numbers, merge


@beam.typehints.with_input_types(BadRows)
@beam.typehints.with_output_types(str)
class Quarantine(beam.PTransform):
    r"""Writes bad rows as JSON lines, by file and place: whole or not at all, none without rows.

    A line has `file`, `line`, `offset` (the byte at which the row begins), `column` ("" is the
    whole row), `reason` and `row`, in which bytes that are no UTF-8 are written `\xff`. Counts
    `quarantine/quarantined`.

    Args:
        path: The file to write.
        max_bad_rows: How many rows it may hold, above 0; with more the pipeline fails with a
            UserError that names the first one.
    """

    def __init__(self, path: str, max_bad_rows: int):
        super().__init__()
        self._path = path
        self._max_bad_rows = max_bad_rows

    def expand(self, bad_rows: beam.PCollection[BadRows]) -> beam.PCollection[str]:
        """Returns the path, once the file is there."""
        return (
            bad_rows
            | "Merge" >> beam.CombineGlobally(merge, self._max_bad_rows).without_defaults()
            | "Describe" >> beam.Map(_describe, self._max_bad_rows)
            # One element, so that one shard holds the rows in their order.
            | "Write"
            >> beam.io.WriteToText(
                self._path, num_shards=1, shard_name_template="", skip_if_empty=True
            )
        )


def _describe(bad_rows: BadRows, max_bad_rows: int) -> str:
    if bad_rows.total > max_bad_rows:
        row, line = next(_with_lines(bad_rows))
        raise UserError(
            f"{row.path}:{line}: {row.problem.reason}: the first of {bad_rows.total} bad rows, "
            f"more than max_bad_rows={max_bad_rows}; mend or remove them, or allow more"
        )
    beam.metrics.Metrics.counter("quarantine", "quarantined").inc(bad_rows.total)
    return "\n".join(
        json.dumps(
            {
                "file": row.path,
                "line": line,
                "offset": row.offset,
                "column": row.problem.column,
                "reason": row.problem.reason,
                "row": row.raw.decode(errors="backslashreplace"),
            }
        )
        for row, line in _with_lines(bad_rows)
    )


def _with_lines(bad_rows: BadRows) -> Iterator[tuple[BadRow, int]]:
    for path, group in groupby(bad_rows.first, key=lambda row: row.path):
        rows = list(group)
        yield from zip(rows, line_numbers(path, [row.offset for row in rows]), strict=True)
