"""Predictions of the latest pushed model for the rows of a file."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from components.model_records.in_use import ServedModel
from pipeline.pipelines.definition import RowFormat
from pipeline.serve.rows import read_rows
from pipeline.serve.signature import Signature, quiet_stack

_ASKED_TOGETHER = 4096


def predict(
    served: ServedModel,
    rows: RowFormat,
    path: str,
    warn: Callable[[str], None] = lambda line: None,
) -> pa.Table:
    """Returns the rows of a file, in its order, with what the model tells of each.

    Columns: those of `rows`, int64 or string, and then those of its answer.

    Args:
        served: The model.
        rows: What the model's pipeline takes and tells.
        path: The file, as `read_rows` takes it.
        warn: Takes one line about columns that the model does not take.

    Raises:
        UserError: A row is malformed; the message names file, line, column and value. Or what the
            model takes besides is gone.
    """
    quiet_stack()
    columns = read_rows(path, rows, warn)
    answer = rows.answer(_score(served, rows.features(columns, served)))
    return pa.table({**columns, **answer})


def _score(served: ServedModel, columns: Mapping[str, Any]) -> np.ndarray:
    """Returns the scores of rows, float32 [rows], a block at a time."""
    signature = Signature(served.folder, "score")
    rows = len(next(iter(columns.values())))
    blocks = [slice(at, at + _ASKED_TOGETHER) for at in range(0, rows, _ASKED_TOGETHER)]
    answers = [
        signature({key: columns[key][block] for key in signature.inputs}) for block in blocks
    ]
    return np.concatenate([answer["scores"].reshape(-1) for answer in answers])
