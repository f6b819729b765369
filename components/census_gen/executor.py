"""Runs the Beam pipeline behind CensusExampleGen."""

from collections.abc import Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.census_gen.config import CensusConfig
from components.example_gen.executor import ColumnarExecutor
from transforms.checks import from_json
from transforms.errors import UserError
from transforms.hashing import hash_uint64
from transforms.read_census import find_census, read_census

__all__ = ["Executor"]


class Executor(ColumnarExecutor):
    """Writes the rows of Adult files as an Example each."""

    COUNTERS = ("rows_train", "rows_eval")
    REQUIRED = COUNTERS

    def build(
        self, pipeline: beam.Pipeline, pattern: str, settings: dict[str, str]
    ) -> dict[str, beam.PCollection[pa.RecordBatch]]:
        """Returns a batch per file and split, as the config in `settings` divides them."""
        config = from_json(CensusConfig, settings["config"])
        found = find_census(pattern)
        splits = {"train": found[".data"], "eval": found[".test"]}
        if config.holdout == "validation":
            splits["eval"] = found[".data"]
        for split, paths in splits.items():
            if not paths:
                name = "adult.test" if splits["train"] and split == "eval" else "adult.data"
                raise UserError(f"{pattern}: no {name} there; download it or mend the path")
        return {
            split: pipeline
            | f"Paths[{split}]" >> beam.Create(paths)
            | f"Read[{split}]" >> beam.FlatMap(_read_split, split, config)
            for split, paths in splits.items()
        }


def _read_split(path: str, split: str, config: CensusConfig) -> Iterator[pa.RecordBatch]:
    batch = read_census(path)
    if config.holdout == "validation":
        held_out = validation_rows(batch.num_rows, config)
        batch = batch.filter(pa.array(held_out if split == "eval" else ~held_out))
    beam.metrics.Metrics.counter("census", f"rows_{split}").inc(batch.num_rows)
    if batch.num_rows:
        yield _single_values(batch)


def validation_rows(num_rows: int, config: CensusConfig) -> np.ndarray:
    """Returns bool[num_rows]: whether a file's row is held out, by a hash of its place."""
    bound = np.uint64(config.validation_fraction * 2.0**64)
    return hash_uint64(config.seed, np.arange(num_rows)) < bound


def _single_values(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Returns the batch with each value as a list of one: what a feature of an Example is."""
    offsets = np.arange(batch.num_rows + 1, dtype=np.int32)
    columns = [
        pa.ListArray.from_arrays(
            offsets, column.cast(pa.binary()) if pa.types.is_string(column.type) else column
        )
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
