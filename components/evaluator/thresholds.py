"""The gate's bounds as thresholds of TFMA."""

import json

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.gates import Bound, Limits


def put_thresholds(config: config_pb2.EvalConfig, limits: Limits) -> None:
    """Gives each metric that a bound is on its thresholds, on the overall slice alone.

    A threshold that names no slice would hold on every one of them. TFX leaves the bound on the
    change out where there is no baseline.

    Args:
        config: Metrics without thresholds; changed in place.
        limits: The bounds, and how much worse a metric may be than before.
    """
    bounds = {bound.metric: bound for bound in limits.bounds_on}
    for specs in config.metrics_specs:
        for metric in specs.metrics:
            bound = bounds.get(json.loads(metric.config or "{}").get("name"))
            if bound:
                metric.per_slice_thresholds.append(_threshold(bound, limits.max_regression))


def _threshold(bound: Bound, max_regression: float) -> config_pb2.PerSliceMetricThreshold:
    if bound.higher_is_better:
        value = config_pb2.GenericValueThreshold(lower_bound={"value": bound.limit})
        direction, change = config_pb2.MetricDirection.HIGHER_IS_BETTER, -max_regression
    else:
        value = config_pb2.GenericValueThreshold(upper_bound={"value": bound.limit})
        direction, change = config_pb2.MetricDirection.LOWER_IS_BETTER, max_regression
    return config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec()],
        threshold=config_pb2.MetricThreshold(
            value_threshold=value,
            change_threshold=config_pb2.GenericChangeThreshold(
                direction=direction, absolute={"value": change}
            ),
        ),
    )
