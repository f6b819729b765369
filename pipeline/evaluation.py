"""The Evaluator's configuration: metrics, slices, and the gate's bounds as TFMA thresholds."""

import json
from typing import Any

import tensorflow_model_analysis as tfma

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


def eval_config(config: PipelineConfig) -> tfma.EvalConfig:
    """Returns what the Evaluator measures and what it blesses.

    The model is asked through `serving_default`, as a client would. Bounds hold on the overall
    slice alone: a threshold that names no slice would hold on every one of them. The bound on the
    change against the baseline is left out by TFX where there is no baseline.
    """
    parts = PARTS[config.pipeline]
    bounds = {bound.metric: bound for bound in config.gate.bounds()}
    metrics = [
        tfma.MetricConfig(
            class_name=class_name,
            module=module,
            config=json.dumps({"name": name, **settings}),
            per_slice_thresholds=(
                [_threshold(bounds[name], config.gate.max_regression)] if name in bounds else []
            ),
        )
        for name, (class_name, module, settings) in _METRICS[config.pipeline].items()
    ]
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_default",
                label_key=parts.label,
                preprocessing_function_names=(
                    [parts.slice_signature] if parts.slice_signature else []
                ),
            )
        ],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=[key]) for key in parts.slices),
        ],
        metrics_specs=[
            tfma.MetricsSpec(metrics=[*metrics, tfma.MetricConfig(class_name="ExampleCount")])
        ],
    )


def _threshold(bound: Bound, max_regression: float) -> tfma.PerSliceMetricThreshold:
    if bound.higher_is_better:
        value = tfma.GenericValueThreshold(lower_bound={"value": bound.limit})
        direction, change = tfma.MetricDirection.HIGHER_IS_BETTER, -max_regression
    else:
        value = tfma.GenericValueThreshold(upper_bound={"value": bound.limit})
        direction, change = tfma.MetricDirection.LOWER_IS_BETTER, max_regression
    return tfma.PerSliceMetricThreshold(
        slicing_specs=[tfma.SlicingSpec()],
        threshold=tfma.MetricThreshold(
            value_threshold=value,
            change_threshold=tfma.GenericChangeThreshold(
                direction=direction, absolute={"value": change}
            ),
        ),
    )
