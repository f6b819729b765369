"""Runs a Tuner with the settings of this run, and leaves nothing behind but its result."""

from typing import Any

from tfx import types
from tfx.components.tuner import executor
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import standard_component_specs

from components.training.checkpoints import remove
from components.training.executor import with_run_settings

__all__ = ["METRIC", "TunerExecutor"]

METRIC = "metric"
"""Custom property of the TunerResults: the metric that the trials' scores are of."""


class TunerExecutor(BaseExecutor):
    """TFX's executor without what it prints, for a `tuner_fn` that returns a LoopTuner."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches, or goes on where a killed attempt stopped, and stores what was found.

        Args:
            input_dict: As TFX's executor takes them.
            output_dict: As TFX's executor takes them.
            exec_properties: As `with_run_settings` takes them.
        """
        tuner = executor.search(
            input_dict,
            with_run_settings(exec_properties),
            self._get_tmp_dir(),
            print_tuning_summary=False,
        )
        executor.write_best_hyperparameters(tuner, output_dict)
        for results in output_dict[standard_component_specs.TUNER_RESULTS_KEY]:
            results.set_string_custom_property(METRIC, tuner.oracle.objective.name)
        remove(tuner.kept)
