"""The census preprocessing_fn: raw columns to ids, scaled numbers and quantile positions."""

import math
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from components.wide_deep_trainer.census.config import CensusTrainerConfig
from components.wide_deep_trainer.census.features import (
    AGE_BOUNDARIES,
    CATEGORICAL,
    LABEL,
    NUMERIC,
    REPEATED,
    VOCABULARY,
    quantile,
    scaled,
    value,
)
from components.wide_deep_trainer.layers.numeric_encoding import quantile_position
from transforms.base.settings import from_json

_UNKNOWN = "?"
_QUANTILE_ERROR = 1e-4
# A value that fewer rows share says more of those rows than of others.
_MIN_ROWS = 5


def preprocessing_fn(
    inputs: dict[str, tf.SparseTensor], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """Transforms a batch of raw columns.

    Blanks around a category do not count. One that is absent or empty is "?", a number that is
    absent or negative is what `NUMERIC` holds: all of that only occurs in requests, as the reader
    trims what it reads and the schema admits neither.

    Args:
        inputs: Raw columns by name, as the schema describes them.
        custom_config: `config` holds the JSON of a CensusTrainerConfig.

    Returns:
        Tensors [batch], named and typed as `census_features` says.
    """
    config = from_json(CensusTrainerConfig, custom_config["config"])
    text = {name: _categories(inputs[name]) for name in CATEGORICAL}
    # Analysers see the values as they came and not the filled-in ones: a median that another
    # analyser waits for would need a second pass over the data.
    seen = {name: tf.cast(inputs[name].values, tf.float32) for name in NUMERIC}
    numbers = {name: _numbers(inputs[name], missing) for name, missing in NUMERIC.items()}
    outputs = {LABEL: tf.reshape(inputs[LABEL], [-1])}

    for name in VOCABULARY:
        outputs[name] = tft.compute_and_apply_vocabulary(
            text[name], num_oov_buckets=1, vocab_filename=name
        )
    # One analyzer for all columns, since each costs Transform a second.
    table = tf.stack([numbers[name] for name in NUMERIC], axis=1)
    scaled_table = tft.scale_to_z_score(table, elementwise=True)
    boundaries = _boundaries(table, config.quantile_bins)
    for i, name in enumerate(NUMERIC):
        outputs[scaled(name)] = scaled_table[:, i]
        outputs[quantile(name)] = quantile_position(table[:, i], boundaries[i])

    for name in REPEATED:
        vocabulary = tft.vocabulary(
            tf.cast(seen[name], tf.int64),
            frequency_threshold=_MIN_ROWS,
            vocab_filename=value(name),
        )
        outputs[value(name)] = tft.apply_vocabulary(
            tf.cast(numbers[name], tf.int64), vocabulary, num_oov_buckets=1
        )

    age_bucket = tft.apply_buckets(numbers["age"], tf.constant([AGE_BOUNDARIES], tf.float32))
    crosses = {
        "occupation": [text["occupation"]],
        "education_x_occupation": [text["education"], text["occupation"]],
        "age_bucket_x_education_x_occupation": [
            tf.strings.as_string(age_bucket),
            text["education"],
            text["occupation"],
        ],
    }
    outputs["age_bucket"] = age_bucket
    for name, parts in crosses.items():
        key = tf.strings.join(parts, separator="_x_")
        outputs[name] = tft.hash_strings(key, config.hash_buckets)
    return outputs


def _categories(column: tf.SparseTensor) -> tf.Tensor:
    text = tf.strings.strip(_first_values(column, ""))
    return tf.where(tf.equal(text, ""), _UNKNOWN, text)


def _numbers(column: tf.SparseTensor, missing: int) -> tf.Tensor:
    values = _first_values(column, -1)
    return tf.cast(tf.where(values < 0, tf.constant(missing, tf.int64), values), tf.float32)


def _first_values(column: tf.SparseTensor, default: str | int) -> tf.Tensor:
    rows = column.dense_shape[0]
    first = tf.sparse.slice(column, [0, 0], [rows, 1])
    dense = tf.SparseTensor(first.indices, first.values, [rows, 1])
    return tf.reshape(tf.sparse.to_dense(dense, default_value=default), [-1])


def _boundaries(table: tf.Tensor, bins: int) -> tf.Tensor:
    """Returns each column's 0, quantiles of positive values and maximum, [columns, bins + 1].

    Most people have neither gains nor losses: among all values every quantile would be 0.
    """
    # Quantiles leave out what is not a number, but fail if that leaves nothing: hence a last row,
    # which weighs next to nothing.
    positive = tf.where(table > 0, table, math.nan)
    inner = tft.quantiles(
        tf.pad(positive, [[0, 1], [0, 0]], constant_values=1.0),
        bins,
        _QUANTILE_ERROR,
        weights=tf.pad(tf.ones_like(table[:, 0]), [[0, 1]], constant_values=1e-9),
        reduce_instance_dims=False,
    )
    highest = tf.maximum(tft.max(table, reduce_instance_dims=False), inner[:, -1])
    return tf.pad(tf.concat([inner, highest[:, tf.newaxis]], axis=1), [[0, 0], [1, 0]])
