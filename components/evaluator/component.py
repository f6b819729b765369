"""The Evaluator component."""

from typing import Any

from tfx import v1 as tfx
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec

from components.evaluator.driver import EvaluatorDriver
from components.evaluator.executor import EvaluatorExecutor


class Evaluator(tfx.components.Evaluator):
    """TFX's Evaluator, which compares with the model in use and keeps a record.

    Besides TFX's outputs the `blessing` artifact holds `record.json`.
    """

    EXECUTOR_SPEC = BeamExecutorSpec(EvaluatorExecutor)
    DRIVER_CLASS = EvaluatorDriver

    def __init__(
        self,
        *,
        pipeline: str,
        dataset: str,
        serving_dir: str,
        gate: str,
        code: str,
        **arguments: Any,
    ):
        """Builds the component.

        Args:
            pipeline: Whose model it is, for the record.
            dataset: The data set's name: only models of one data set are compared.
            serving_dir: Where the model in use is.
            gate: Limits as JSON. An execution property with the name of a bound's setting takes the
                place of its limit.
            code: Fingerprints of all sources as JSON, for the record and for TFX's cache.
            **arguments: As TFX's Evaluator takes them; `eval_config` without thresholds.
        """
        super().__init__(**arguments)
        self.exec_properties.update(
            pipeline=pipeline, dataset=dataset, serving_dir=serving_dir, gate=gate, code=code
        )
