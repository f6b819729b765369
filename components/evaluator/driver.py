"""Lets TFX's cache see what the Evaluator will find in the serving folder."""

from tfx.dsl.components.base import base_driver
from tfx.orchestration.portable import base_driver as portable_base_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import path_utils

from components.model_records.in_use import find_baseline, model_identity


class EvaluatorDriver(base_driver.BaseDriver, portable_base_driver.BaseDriver):
    """Puts the name of what the candidate is compared with among the execution properties.

    So an unchanged run finds its verdict in the cache, and one after somebody else's push does not.
    An engine without drivers must not take an Evaluator's outputs from its cache at all.
    """

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Returns the one property, `baseline`, which nothing but the cache reads."""
        model = artifact_utils.get_single_uri(
            execution_info.input_dict[standard_component_specs.MODEL_KEY]
        )
        candidate = model_identity(path_utils.serving_model_path(model))
        name, _ = find_baseline(execution_info.exec_properties["serving_dir"], candidate)
        output = driver_output_pb2.DriverOutput()
        output.exec_properties["baseline"].string_value = name
        return output
