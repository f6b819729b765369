"""The Evaluator's configuration: metrics and slices."""

import json
from typing import Any

from tensorflow_model_analysis.proto import config_pb2

from components.ranking_metrics.rank import HIT_RATE, NDCG, K
from pipeline.configs import PipelineConfig
from pipeline.parts import PARTS

__all__ = ["eval_config"]

_RANKING = "components.ranking_metrics.metrics"

# class, module, settings of each metric, by pipeline and metric name.
_METRICS: dict[str, dict[str, tuple[str, str, dict[str, Any]]]] = {
    "ncf": {
        HIT_RATE: ("HitRate", _RANKING, {"k": K, "item_key": "item_id"}),
        NDCG: ("LeaveOneOutNDCG", _RANKING, {"k": K, "item_key": "item_id"}),
        "short_lists": ("ShortLists", _RANKING, {"k": K, "item_key": "item_id"}),
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
    """Returns what the Evaluator measures; what it blesses is the gate's.

    The model is asked through `serving_default`, as a client would.
    """
    parts = PARTS[config.pipeline]
    metrics = [
        config_pb2.MetricConfig(
            class_name=class_name,
            module=module,
            config=json.dumps({"name": name, **settings}),
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
