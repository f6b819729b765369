"""Transformed Examples with one value a feature, read once into arrays."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from transforms.errors import UserError

__all__ = ["read_columns"]

_PARSED_TOGETHER = 4096


def read_columns(
    patterns: Sequence[str], spec: Mapping[str, tf.io.FixedLenFeature]
) -> dict[str, np.ndarray]:
    """Returns the features of all Examples in a split, each [examples, ...], by name.

    Args:
        patterns: Gzipped TFRecord files, or patterns of them.
        spec: What to parse, such as TFTransformOutput's `transformed_feature_spec()`.

    Raises:
        UserError: There is no Example.
    """
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    dataset = (
        tf.data.TFRecordDataset(files, compression_type="GZIP")
        .batch(_PARSED_TOGETHER)
        .map(lambda examples: tf.io.parse_example(examples, spec), tf.data.AUTOTUNE)
    )
    batches = list(dataset.as_numpy_iterator())
    if not batches:
        raise UserError(f"{', '.join(patterns)}: no Example")
    return {name: np.concatenate([batch[name] for batch in batches]) for name in spec}
