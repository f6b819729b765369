"""Metrics that are values of one count, which TFMA makes once for all of them."""

import functools
from collections.abc import Callable
from typing import Any

import apache_beam as beam
from tensorflow_model_analysis.metrics import metric_types


def computations(
    name: str,
    counts_name: str,
    preprocessors: list[metric_types.Preprocessor] | None,
    combiner: Callable[[metric_types.MetricKey], beam.CombineFn],
    value: Callable[[Any], float],
    aggregation_type: metric_types.AggregationType | None,
    class_weights: dict[int, float] | None,
    **key_of: Any,
) -> metric_types.MetricComputations:
    """Returns how a metric is computed from a count that others may be values of, too.

    Args:
        name: The metric's.
        counts_name: The count's; equal ones are made once. A leading underscore keeps it out of
            the results.
        preprocessors: Of the count.
        combiner: Makes what counts, under the key that it is given.
        value: Returns the metric of a count.
        aggregation_type: As TFMA gives it.
        class_weights: As TFMA gives it.
        **key_of: What else tells keys apart, such as the model's name.

    Raises:
        ValueError: Classes are to be aggregated or weighted.
    """
    if aggregation_type or class_weights:
        raise ValueError(f"{name} has no classes to aggregate or to weight")
    key = functools.partial(metric_types.MetricKey, **key_of)
    counts, metric = key(name=counts_name), key(name=name)
    return [
        metric_types.MetricComputation(
            keys=[counts], preprocessors=preprocessors, combiner=combiner(counts)
        ),
        metric_types.DerivedMetricComputation(
            keys=[metric], result=lambda results: {metric: value(results[counts])}
        ),
    ]


def told_by_model(
    *feature_keys: str, model_name: str
) -> metric_types.StandardMetricInputsPreprocessor:
    """Returns what leaves a metric what the model's preprocessing signature returned.

    `get_transformed_features(model_name)` of a metric's inputs has it then, beside labels, scores
    and weights.

    Args:
        *feature_keys: Names of the signature's outputs.
        model_name: As TFMA tells it: "" if there is but one model.
    """
    return metric_types.TransformedFeaturePreprocessor(
        feature_keys=feature_keys, model_names=[model_name] if model_name else None
    )
