"""Runs the Beam pipeline behind CensusExampleGen."""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.census_gen.config import CensusConfig
from components.example_gen.executor import SPLITS, ColumnarExecutor
from transforms.base.errors import UserError
from transforms.base.hashing import draws_percent, hash_texts, hash_uint64
from transforms.parsing.input_files import extension
from transforms.parsing.read_census import find_census, read_census
from transforms.quarantine import Quarantine

# Draws what is evaluated on by another hash than what "validation" does.
_OF_FILE = 1


class Executor(ColumnarExecutor):
    """Writes the rows of Adult files as an Example each."""

    CONFIG = CensusConfig
    COUNTERS = ("rows", "rows_train", "rows_eval", "rows_left_out", "quarantined")
    REQUIRED = {
        "rows_train": "no row is left to train on",
        "rows_eval": "no row is left to evaluate on",
    }

    def split_identity(self, config: CensusConfig) -> dict[str, Any]:
        """See ColumnarExecutor; of one file more settings decide than of two."""
        return config.split_identity(self._one_file)

    def build(
        self, pipeline: beam.Pipeline, pattern: str, config: CensusConfig, quarantine: str
    ) -> dict[str, beam.PCollection[pa.RecordBatch]]:
        """Returns a batch per file and split, with the columns of `CENSUS_COLUMNS`."""
        found = find_census(pattern)
        self._one_file = bool(found[".csv"])
        kinds: tuple[str, ...] = (".csv",)
        if not self._one_file:
            kinds = (".data",) if config.holdout == "validation" else (".data", ".test")
        for kind in kinds:
            if not found[kind]:
                raise UserError(
                    f"{pattern}: no adult{kind} there, nor adult.csv, which stands for both files; "
                    "download it or mend the path"
                )
        splits = (
            pipeline
            | "Paths" >> beam.Create([path for kind in kinds for path in found[kind]])
            | "Read" >> beam.ParDo(_Read(config)).with_outputs(*SPLITS, "bad_rows")
        )
        if config.max_bad_rows:
            _ = splits.bad_rows | Quarantine(quarantine, config.max_bad_rows)
        return {name: splits[name] for name in SPLITS}


class _Read(beam.DoFn):
    """Reads a file into the splits that it is for."""

    def __init__(self, config: CensusConfig):
        self._config = config

    def setup(self) -> None:
        self._rows = beam.metrics.Metrics.counter("census", "rows")
        self._rows_of = {
            split: beam.metrics.Metrics.counter("census", f"rows_{split}")
            for split in (*SPLITS, "left_out")
        }

    def process(self, path: str) -> Iterator[beam.pvalue.TaggedOutput]:
        rows, bad_rows = read_census(path, self._config.max_bad_rows)
        self._rows.inc(rows.num_rows + bad_rows.total)
        if bad_rows.total:
            yield beam.pvalue.TaggedOutput("bad_rows", bad_rows)
        splits = self._divide(path, rows)
        for split, batch in splits.items():
            self._rows_of[split].inc(batch.num_rows)
            if batch.num_rows:
                yield beam.pvalue.TaggedOutput(split, batch)
        used = sum(batch.num_rows for batch in splits.values())
        self._rows_of["left_out"].inc(rows.num_rows - used)

    def _divide(self, path: str, rows: pa.RecordBatch) -> dict[str, pa.RecordBatch]:
        if extension(path) == ".csv":
            tested = file_eval_rows(rows, self._config)
        else:
            tested = np.full(rows.num_rows, extension(path) == ".test")
        train, held_out = ~tested, tested
        if self._config.holdout == "validation":
            chosen = validation_rows(rows, self._config)
            train, held_out = train & ~chosen, train & chosen
        return {
            "train": rows.filter(pa.array(train)),
            "eval": rows.filter(pa.array(held_out)),
        }


def file_eval_rows(rows: pa.RecordBatch, config: CensusConfig) -> np.ndarray:
    """Returns bool[rows]: whether a row of the one file is for evaluation, by its values' hash.

    Equal rows stay together, so that none is evaluated on of which a copy was trained on.
    """
    return draws_percent(config.eval_percent, config.seed, *map(_keys, rows.columns), _OF_FILE)


def validation_rows(rows: pa.RecordBatch, config: CensusConfig) -> np.ndarray:
    """Returns bool[rows]: whether a row of `CENSUS_COLUMNS` is held out, by its values' hash."""
    bound = np.uint64(config.validation_fraction * 2.0**64)
    return hash_uint64(config.seed, *map(_keys, rows.columns)) < bound


def _keys(column: pa.Array) -> np.ndarray:
    """Returns integers that stand for the values of a column, the same in any other batch."""
    if not pa.types.is_string(column.type):
        return column.to_numpy()
    encoded = column.dictionary_encode()
    return hash_texts(encoded.dictionary.to_pylist())[encoded.indices.to_numpy()]
