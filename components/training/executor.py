"""Runs a Trainer with the settings of this run."""

from typing import Any

from tfx.components.trainer.executor import GenericExecutor
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.types import standard_component_specs
from tfx.utils import json_utils

from components.artifacts import Artifacts, Properties
from components.code import check_code
from components.model_records.record import SETTINGS
from transforms.base.settings import override

RUN_SETTINGS = ("train_epochs", "seed")
"""Settings that may be execution properties of their own, which an engine fills in for a run."""


def with_run_settings(exec_properties: Properties) -> dict[str, Any]:
    """Returns execution properties with the values of RUN_SETTINGS in the trainer's config.

    Raises UserError where the trainer's code is not that of the compiled pipeline.

    Args:
        exec_properties: TFX's, and values of any RUN_SETTINGS. `custom_config` holds "config", the
            trainer's settings as JSON, and "code".
    """
    key = standard_component_specs.CUSTOM_CONFIG_KEY
    custom_config = json_utils.loads(exec_properties[key])
    check_code(custom_config["code"])
    custom_config["config"] = override(custom_config["config"], RUN_SETTINGS, exec_properties)
    return {**exec_properties, key: json_utils.dumps(custom_config)}


class TrainerExecutor(GenericExecutor):
    """TFX's executor, for which two kinds of values take the place of the trainer's settings.

    RUN_SETTINGS come as execution properties, and a Tuner's best hyperparameters, which have the
    names of settings, as an input.
    """

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Calls the run_fn `with_run_settings`, and puts its settings on the model."""
        super().Do(input_dict, output_dict, with_run_settings(exec_properties))

    def _GetFnArgs(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        if fn_args.hyperparameters:
            best = fn_args.hyperparameters["values"]
            config = fn_args.custom_config["config"]
            fn_args.custom_config["config"] = override(config, best, best)
        (model,) = output_dict[standard_component_specs.MODEL_KEY]
        model.set_string_custom_property(SETTINGS, fn_args.custom_config["config"])
        return fn_args
