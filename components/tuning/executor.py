"""Runs a Tuner with the settings of this run, and leaves nothing behind but its result."""

from tfx.components.tuner import executor
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import standard_component_specs

from components.artifacts import Artifacts, Properties
from components.training.checkpoints import remove
from components.training.executor import with_run_settings

METRIC = "metric"
"""Custom property of the TunerResults: the metric that the trials' scores are of."""


class TunerExecutor(BaseExecutor):
    """TFX's executor without what it prints, for a `tuner_fn` that returns a LoopTuner."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Searches, or goes on where a killed attempt stopped, and stores what was found.

        The settings that trials begin with are those `with_run_settings`.
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
