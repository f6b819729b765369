"""Asks a SavedModel a few requests through each signature: run by its path, with no other code.

What loads a model here has TensorFlow and nothing else, as a server has.
"""

import re
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

_REQUESTS = 8
_VALUES = 3
# What TensorFlow puts before the message of an operation that failed.
_PREAMBLE = ("Graph execution error", "Detected at node", "<stack traces unavailable>")
_NODE = re.compile(r"\{\{function_node [^}]*\}\}")


def main(model: str, examples: str) -> int:
    """Returns an exit code: 1 after a line on the signature that gave no answer.

    A request is made of an Example: its features are what inputs of their names are given. An input
    of another name is given a number that counts something, or a list of nothing.

    Args:
        model: A SavedModel's folder.
        examples: A pattern of gzipped TFRecord files of serialised Examples.
    """
    files = sorted(tf.io.gfile.glob(examples))
    records = [*tf.data.TFRecordDataset(files, "GZIP").take(_REQUESTS).as_numpy_iterator()]
    features = [tf.train.Example.FromString(record).features.feature for record in records]
    signatures = tf.saved_model.load(model).signatures
    for name, signature in signatures.items() if records else ():
        _, inputs = signature.structured_input_signature
        try:
            request = {key: _request(key, spec, records, features) for key, spec in inputs.items()}
            _check(signature(**request), len(records))
        # Whatever it is, the model cannot be served.
        except Exception as error:
            lines = [_NODE.sub("", line).strip() for line in str(error).splitlines()]
            told = [line for line in lines if line and not line.startswith(_PREAMBLE)]
            why = (told or ["no message"])[0][:300]
            print(f"signature {name}: {type(error).__name__}: {why}")
            return 1
    return 0


def _request(
    name: str, spec: tf.TensorSpec, records: Sequence[bytes], features: Sequence[Any]
) -> tf.Tensor:
    if name == "examples":
        return tf.constant(records)
    if not spec.shape.rank:
        return tf.constant(_VALUES, spec.dtype)
    width = [_VALUES if size is None else size for size in spec.shape[1:]]
    if any(name in feature for feature in features):
        rows = [_fill(feature[name], spec.dtype, int(np.prod(width))) for feature in features]
        return tf.reshape(tf.constant(rows, spec.dtype), [len(rows), *width])
    return tf.zeros([len(records), *(size or 0 for size in spec.shape[1:])], spec.dtype)


def _fill(feature: tf.train.Feature, dtype: tf.DType, count: int) -> list[Any]:
    """Returns so many values, the feature's over and over; what it lacks is 0 or ""."""
    kind = feature.WhichOneof("kind")
    values = list(getattr(feature, kind).value) if kind else []
    nothing = b"" if dtype == tf.string else 0
    return [values[place % len(values)] if values else nothing for place in range(count)]


def _check(answer: dict[str, Any], requests: int) -> None:
    """Raises ValueError unless each output has a row for each request."""
    for name, value in answer.items():
        if isinstance(value, tf.Tensor) and value.shape[:1] != [requests]:
            raise ValueError(f"{name} has the shape {[*value.shape]} for {requests} requests")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
