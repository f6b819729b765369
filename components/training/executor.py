"""Runs a Trainer with the settings of this run."""

import json
from typing import Any

from tfx import types
from tfx.components.trainer.executor import GenericExecutor
from tfx.types import standard_component_specs
from tfx.utils import json_utils

__all__ = ["RUN_SETTINGS", "TrainerExecutor"]

RUN_SETTINGS = ("train_epochs", "seed")
"""Settings that are execution properties of their own, which an engine can fill in for a run."""


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
            exec_properties: TFX's, and values of RUN_SETTINGS. `custom_config` holds "config",
                the trainer's settings as JSON.
        """
        key = standard_component_specs.CUSTOM_CONFIG_KEY
        custom_config = json_utils.loads(exec_properties[key])
        settings = json.loads(custom_config["config"])
        settings.update({name: exec_properties[name] for name in RUN_SETTINGS})
        custom_config["config"] = json.dumps(settings, sort_keys=True)
        super().Do(
            input_dict, output_dict, {**exec_properties, key: json_utils.dumps(custom_config)}
        )
