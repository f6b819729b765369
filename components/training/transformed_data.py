"""Transformed Examples, read once into arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from transforms.base.errors import UserError
from transforms.base.hashing import draws_percent, hash_uint64

_PARSED_TOGETHER = 4096
_WHOLE = tf.distribute.InputContext()
_VALIDATION_PERCENT = 20


def read_examples(
    patterns: Sequence[str],
    spec: Mapping[str, Any],
    context: tf.distribute.InputContext = _WHOLE,
) -> list[dict[str, tf.Tensor | tf.RaggedTensor]]:
    """Returns the features of all Examples in a split by name, in blocks of thousands of rows.

    Args:
        patterns: Gzipped TFRecord files, or patterns of them.
        spec: What to parse, as `tf.io.parse_example` takes it.
        context: Which worker's part to read.

    Raises:
        UserError: There is no Example.
    """
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    workers, worker = context.num_input_pipelines, context.input_pipeline_id
    by_file = len(files) >= workers
    records = tf.data.TFRecordDataset(files[worker::workers] if by_file else files, "GZIP")
    if not by_file:
        records = records.shard(workers, worker)
    blocks = records.batch(_PARSED_TOGETHER).map(
        lambda examples: tf.io.parse_example(examples, spec), tf.data.AUTOTUNE
    )
    if not (parsed := list(blocks)):
        raise UserError(f"{', '.join(patterns)}: no Example for worker {worker} of {workers}")
    return parsed


def read_columns(
    patterns: Sequence[str], spec: Mapping[str, tf.io.FixedLenFeature | tf.io.RaggedFeature]
) -> dict[str, np.ndarray]:
    """Returns the features of all Examples in a split by name, each [rows].

    A row is an Example, or, where Examples hold lists of one length each, a place in one.

    They come in one order, whatever the order in which Beam wrote them: training draws its batches
    by place. It is that of a hash of the integers, and where those are equal that of the floats.

    Args:
        patterns: Gzipped TFRecord files, or patterns of them.
        spec: What to parse, a number or a list of them each, such as TFTransformOutput's
            `transformed_feature_spec()`.

    Raises:
        UserError: There is no Example.
    """
    blocks = read_examples(patterns, spec)
    # What has been taken out of the blocks need not be in memory twice.
    columns = {name: np.concatenate([_flat(block.pop(name)) for block in blocks]) for name in spec}
    order = _order(columns)
    return {name: column[order] for name, column in columns.items()}


def split_columns(
    columns: dict[str, np.ndarray], seed: int, *keys: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Returns about four fifths of the rows to train on, and the others to validate on.

    Args:
        columns: Features by name, [rows, ...] each.
        seed: Different seeds draw independently.
        *keys: Integers [rows]; rows of equal keys stay together. Without any, rows whose integers
            are all equal do.

    Raises:
        UserError: There are too few rows for two parts.
    """
    chosen = draws_percent(_VALIDATION_PERCENT, seed, *(keys or [_hash_rows(columns)]))
    if chosen.all() or not chosen.any():
        raise UserError(
            f"tune=True: {len(chosen)} rows to train on are too few to hold some out; do not tune"
        )
    return (
        {name: column[~chosen] for name, column in columns.items()},
        {name: column[chosen] for name, column in columns.items()},
    )


def _flat(feature: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
    return feature.flat_values if isinstance(feature, tf.RaggedTensor) else feature


def _order(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns the places of rows in the order of their hashes, then of their floats, [rows]."""
    hashes = _hash_rows(columns)
    order = np.argsort(hashes)
    # To sort all rows by all columns takes ten times as long, and few of them are ties.
    again = hashes[order][1:] == hashes[order][:-1]
    ties = np.append(again, False) | np.append(False, again)
    rows = order[ties]
    floats = [columns[name][rows] for name in sorted(columns) if columns[name].dtype.kind == "f"]
    order[ties] = rows[np.lexsort((*floats, hashes[rows]))]
    return order


def _hash_rows(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns hashes of the rows' integers, uint64 [rows]."""
    # The last bits of a scaled number depend on the order in which Beam summed up its mean.
    names = [name for name in sorted(columns) if columns[name].dtype.kind == "i"]
    return hash_uint64(*(columns[name] for name in names))
