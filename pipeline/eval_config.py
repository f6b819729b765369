"""The Evaluator's configuration: metrics and slices."""

import json

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.gates import Gate
from pipeline.pipelines.definition import PipelineDefinition


def eval_config(pipeline: PipelineDefinition, gate: Gate) -> config_pb2.EvalConfig:
    """Returns what the Evaluator measures; what it blesses is the gate's.

    The model is asked through `serving_default`, as a client would.

    Args:
        pipeline: What to measure.
        gate: Holds arguments of the metrics.
    """
    metrics = [
        config_pb2.MetricConfig(
            class_name=metric.class_name,
            module=metric.module,
            config=json.dumps(
                {
                    "name": metric.name,
                    **metric.settings,
                    **{key: getattr(gate, name) for key, name in metric.gate_settings.items()},
                }
            ),
        )
        for metric in (*pipeline.metrics, pipeline.count)
    ]
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                signature_name="serving_default",
                label_key=pipeline.label,
                preprocessing_function_names=(
                    [pipeline.eval_signature] if pipeline.eval_signature else []
                ),
            )
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=[key]) for key in pipeline.slices),
        ],
        metrics_specs=[config_pb2.MetricsSpec(metrics=metrics)],
    )
