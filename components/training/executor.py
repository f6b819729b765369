"""Runs a Trainer with the settings of this run."""

from typing import Any

from tfx import types
from tfx.components.trainer.executor import GenericExecutor
from tfx.types import standard_component_specs
from tfx.utils import json_utils

from transforms.checks import override

__all__ = ["RUN_SETTINGS", "TrainerExecutor"]

RUN_SETTINGS = ("train_epochs", "seed")
"""Settings that may be execution properties of their own, which an engine fills in for a run."""


class TrainerExecutor(GenericExecutor):
    """TFX's executor, for which RUN_SETTINGS take the place of those in the trainer's config."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Calls the run_fn.

        Args:
            input_dict: As TFX's executor takes them.
            output_dict: As TFX's executor takes them.
            exec_properties: TFX's, and values of any RUN_SETTINGS. `custom_config` holds "config",
                the trainer's settings as JSON.
        """
        key = standard_component_specs.CUSTOM_CONFIG_KEY
        custom_config = json_utils.loads(exec_properties[key])
        custom_config["config"] = override(custom_config["config"], RUN_SETTINGS, exec_properties)
        super().Do(
            input_dict, output_dict, {**exec_properties, key: json_utils.dumps(custom_config)}
        )
