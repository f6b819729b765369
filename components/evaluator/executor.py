"""Runs the Evaluator with the bounds of this run."""

import json
from typing import Any

from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.components.evaluator import executor
from tfx.dsl.io import fileio
from tfx.types import standard_component_specs
from tfx.utils import path_utils, proto_utils

__all__ = ["EvaluatorExecutor"]


class EvaluatorExecutor(executor.Executor):
    """TFX's executor, for which an engine can fill in the gate's bounds from its own parameters.

    An execution property with the name of a metric takes the place of that metric's bound in
    `eval_config`. A baseline that takes features of other types than the candidate could not read
    the Examples: the candidate is then judged without one.
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
        config = config_pb2.EvalConfig()
        key = standard_component_specs.EVAL_CONFIG_KEY
        proto_utils.json_to_proto(exec_properties[key], config)
        for metrics in config.metrics_specs:
            for metric in metrics.metrics:
                name = json.loads(metric.config or "{}").get("name")
                for bounded in metric.per_slice_thresholds if name in exec_properties else ():
                    value = bounded.threshold.value_threshold
                    side = "lower_bound" if value.HasField("lower_bound") else "upper_bound"
                    getattr(value, side).value = float(exec_properties[name])
        candidate = _input_types(input_dict[standard_component_specs.MODEL_KEY][0])
        baselines = [
            model
            for model in input_dict.get(standard_component_specs.BASELINE_MODEL_KEY, [])
            if all(candidate.get(name, kind) == kind for name, kind in _input_types(model).items())
        ]
        super().Do(
            {**input_dict, standard_component_specs.BASELINE_MODEL_KEY: baselines},
            output_dict,
            {**exec_properties, key: proto_utils.proto_to_json(config)},
        )


def _input_types(model: types.Artifact) -> dict[tuple[str, str], int]:
    """Returns the type of each input, by the names of its signature and of itself."""
    path = f"{path_utils.serving_model_path(model.uri)}/saved_model.pb"
    with fileio.open(path, "rb") as file:
        saved_model = saved_model_pb2.SavedModel.FromString(file.read())
    return {
        (signature, name): tensor.dtype
        for graph in saved_model.meta_graphs
        for signature, definition in graph.signature_def.items()
        for name, tensor in definition.inputs.items()
    }
