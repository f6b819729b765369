"""Predictions of the latest pushed model for the rows of a CSV file."""

import csv
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

import numpy as np

from components.model_records.in_use import ServedModel
from pipeline.pipelines.definition import RowFormat
from pipeline.serve.signature import Signature, quiet_stack
from transforms.base.errors import UserError
from transforms.base.whole_file import output_file
from transforms.parsing.bad_rows import without_nul
from transforms.parsing.integers import integer_fault

_ASKED_TOGETHER = 4096

Rows = Iterable[Sequence[Any]]


def predict(served: ServedModel, rows: RowFormat, path: str) -> Rows:
    """Returns a header, and each row of a file with what the model tells of it.

    Args:
        served: The model.
        rows: What the model's pipeline takes and tells.
        path: The file. A first row may name its columns.

    Raises:
        UserError: A row is malformed; the message names file, line, column and value. Or what the
            model takes besides is gone.
    """
    quiet_stack()
    columns = _read(path, rows.columns(), rows.ignored)
    answer = rows.answer(_score(served, rows.features(columns, served)))
    told = itertools.chain(columns.values(), (column.tolist() for column in answer.values()))
    return itertools.chain([(*columns, *answer)], zip(*told, strict=True))


def write_csv(rows: Rows, path: str | None, stdout: TextIO) -> None:
    """Writes rows to a file, whole or not at all, or to `stdout` if no file is named.

    Raises:
        UserError: The file cannot be written.
    """
    if path is None:
        csv.writer(stdout, lineterminator="\n").writerows(rows)
        return
    with output_file(path) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _read(
    path: str, kinds: Mapping[str, Callable[[str], Any]], ignored: str = ""
) -> dict[str, list[Any]]:
    """Returns the columns of a CSV file by name.

    Args:
        path: A file whose first row may name its columns; they are in the order of `kinds` if not.
        kinds: int or str by column.
        ignored: A last column that rows without a header may have too; "" for none.
    """
    columns: dict[str, list[Any]] = {name: [] for name in kinds}
    places, widths = list(range(len(kinds))), {len(kinds), len(kinds) + bool(ignored)}
    for line, fields in _fields(path):
        if not any(columns.values()) and set(kinds) <= set(fields):
            places, widths = [fields.index(name) for name in kinds], {len(fields)}
            continue
        if len(fields) not in widths:
            expected = " or ".join(map(str, sorted(widths)))
            raise UserError(
                f"{path}:{line}: has {len(fields)} fields, not {expected}; mend the row"
            )
        for (name, kind), place in zip(kinds.items(), places, strict=True):
            value = fields[place]
            fault = integer_fault(value) if kind is int else "" if value else "not filled in"
            if fault:
                raise UserError(f"{path}:{line}: {name} {value[:100]!r} is {fault}; mend the row")
            columns[name].append(kind(value))
    if not any(columns.values()):
        raise UserError(f"{path}: holds no rows; expected the columns {', '.join(kinds)}")
    return columns


def _fields(path: str) -> Iterator[tuple[int, list[str]]]:
    """Yields line and fields, without the blanks around them, of each row that is not blank.

    Nor is a first line that starts with "|" a row, as that of adult.test does.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(without_nul(file), skipinitialspace=True, strict=True)
            line = 1
            for fields in reader:
                is_title = line == 1 and "".join(fields).startswith("|")
                if any(field.strip() for field in fields) and not is_title:
                    yield line, [field.strip() for field in fields]
                line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}:{line}: {error}; mend the row") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 ({error.reason}); convert the file") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; name a CSV file") from error


def _score(served: ServedModel, columns: Mapping[str, Any]) -> np.ndarray:
    """Returns the scores of rows, float32 [rows], a block at a time."""
    signature = Signature(served.folder, "score")
    rows = len(next(iter(columns.values())))
    blocks = [slice(at, at + _ASKED_TOGETHER) for at in range(0, rows, _ASKED_TOGETHER)]
    answers = [
        signature({key: columns[key][block] for key in signature.inputs}) for block in blocks
    ]
    return np.concatenate([answer["scores"].reshape(-1) for answer in answers])
