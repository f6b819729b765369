"""Metrics that are values of one count, which TFMA makes once for all of them."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.proto import config_pb2

_IN = "@"


def name_in_slice(name: str, part: str) -> str:
    """Returns the name of a metric's value in a part of the data, such as "genre=War"; "" is all.

    A metric of lists tells slices by such names, since TFMA slices whole Examples.
    """
    return f"{name}{_IN}{part}" if part else name


def name_and_slice(name: str) -> tuple[str, str]:
    """Returns what `name_in_slice` made a name of."""
    name, _, part = name.partition(_IN)
    return name, part


def computations(
    values: Mapping[str, Callable[[Any], float | None]],
    counts_name: str,
    preprocessors: list[metric_types.Preprocessor] | None,
    combiner: Callable[[metric_types.MetricKey], beam.CombineFn],
    aggregation_type: metric_types.AggregationType | None,
    class_weights: dict[int, float] | None,
    **key_of: Any,
) -> metric_types.MetricComputations:
    """Returns how metrics are computed from a count that others may be values of, too.

    Args:
        values: By the names of the metrics, what returns them of a count, or None for none.
        counts_name: The count's; equal ones are made once. A leading underscore keeps it out of
            the results.
        preprocessors: Of the count.
        combiner: Makes what counts, under the key that it is given.
        aggregation_type: As TFMA gives it.
        class_weights: As TFMA gives it.
        **key_of: What else tells keys apart, such as the model's name.

    Raises:
        ValueError: Classes are to be aggregated or weighted.
    """
    if aggregation_type or class_weights:
        raise ValueError(f"{next(iter(values))} has no classes to aggregate or to weight")
    key = functools.partial(metric_types.MetricKey, **key_of)
    counts, metrics = key(name=counts_name), {key(name=name): of for name, of in values.items()}
    return [
        metric_types.MetricComputation(
            keys=[counts], preprocessors=preprocessors, combiner=combiner(counts)
        ),
        metric_types.DerivedMetricComputation(
            keys=list(metrics),
            result=lambda results: {
                metric: value
                for metric, of in metrics.items()
                if (value := of(results[counts])) is not None
            },
        ),
    ]


def label_score_weight(
    element: metric_types.StandardMetricInputs,
    key: metric_types.MetricKey,
    eval_config: config_pb2.EvalConfig | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns an Example's labels and the model's scores, each [values], and its weight.

    Args:
        element: The Example, as TFMA gives it to a CombineFn.
        key: Of the metric: it says whose scores.
        eval_config: As TFMA gives it.
    """
    labels, scores, weight = next(
        metric_util.to_label_prediction_example_weight(
            element,
            eval_config=eval_config,
            model_name=key.model_name,
            output_name=key.output_name,
            example_weighted=key.example_weighted,
            flatten=False,
            require_single_example_weight=True,
        )
    )
    return labels.reshape(-1), scores.reshape(-1), np.asarray(weight).reshape(-1)


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
