"""Runs the Evaluator with the bounds of this run."""

import json
from typing import Any

import tensorflow_model_analysis as tfma
from tfx import types
from tfx.components.evaluator import executor
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

__all__ = ["EvaluatorExecutor"]


class EvaluatorExecutor(executor.Executor):
    """TFX's executor, for which an engine can fill in the gate's bounds from its own parameters.

    An execution property with the name of a metric takes the place of that metric's bound in
    `eval_config`.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the model and blesses it if it keeps the bounds.

        Args:
            input_dict: As TFX's executor takes them.
            output_dict: As TFX's executor takes them.
            exec_properties: TFX's, and a float for each metric whose bound is set here.
        """
        config = tfma.EvalConfig()
        key = standard_component_specs.EVAL_CONFIG_KEY
        proto_utils.json_to_proto(exec_properties[key], config)
        for metrics in config.metrics_specs:
            for metric in metrics.metrics:
                name = json.loads(metric.config or "{}").get("name")
                for bounded in metric.per_slice_thresholds if name in exec_properties else ():
                    value = bounded.threshold.value_threshold
                    side = "lower_bound" if value.HasField("lower_bound") else "upper_bound"
                    getattr(value, side).value = float(exec_properties[name])
        super().Do(
            input_dict, output_dict, {**exec_properties, key: proto_utils.proto_to_json(config)}
        )
