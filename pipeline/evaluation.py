"""The Evaluator's configuration: metrics, slices, and the gate's bounds as TFMA thresholds."""

import json
from typing import Any

from tensorflow_model_analysis.proto import config_pb2

from pipeline.configs import PipelineConfig
from pipeline.gates import Bound
from pipeline.parts import PARTS

__all__ = ["eval_config"]

_RANKING = "components.ranking_metrics.metrics"

# class, module, settings of each metric, by pipeline and metric name.
_METRICS: dict[str, dict[str, tuple[str, str, dict[str, Any]]]] = {
    "ncf": {
        "hit_rate_at_10": ("HitRate", _RANKING, {"k": 10, "item_key": "item_id"}),
        "ndcg_at_10": ("LeaveOneOutNDCG", _RANKING, {"k": 10, "item_key": "item_id"}),
    },
    "movielens": {
        "rmse": ("RootMeanSquaredError", "", {}),
        "mae": ("MeanAbsoluteError", "", {}),
    },
    "census": {
        "accuracy": ("BinaryAccuracy", "", {}),
        "auc": ("AUC", "", {}),
    },
}


def eval_config(config: PipelineConfig) -> config_pb2.EvalConfig:
    """Returns what the Evaluator measures and what it blesses.

    The model is asked through `serving_default`, as a client would. Bounds hold on the overall
    slice alone: a threshold that names no slice would hold on every one of them. The bound on the
    change against the baseline is left out by TFX where there is no baseline.
    """
    parts = PARTS[config.pipeline]
    bounds = {bound.metric: bound for bound in config.gate.bounds()}
    metrics = [
        config_pb2.MetricConfig(
            class_name=class_name,
            module=module,
            config=json.dumps({"name": name, **settings}),
            per_slice_thresholds=(
                [_threshold(bounds[name], config.gate.max_regression)] if name in bounds else []
            ),
        )
        for name, (class_name, module, settings) in _METRICS[config.pipeline].items()
    ]
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                signature_name="serving_default",
                label_key=parts.label,
                preprocessing_function_names=(
                    [parts.slice_signature] if parts.slice_signature else []
                ),
            )
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=[key]) for key in parts.slices),
        ],
        metrics_specs=[
            config_pb2.MetricsSpec(
                metrics=[*metrics, config_pb2.MetricConfig(class_name="ExampleCount")]
            )
        ],
    )


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
