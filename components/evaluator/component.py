"""The Evaluator component."""

from typing import Any

from tfx import v1 as tfx
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec

from components.evaluator.executor import EvaluatorExecutor

__all__ = ["Evaluator"]


class Evaluator(tfx.components.Evaluator):
    """TFX's Evaluator over an EvaluatorExecutor, which takes bounds for each run."""

    EXECUTOR_SPEC = BeamExecutorSpec(EvaluatorExecutor)

    def __init__(self, *, code: str, **arguments: Any):
        """Builds the component.

        Args:
            code: Fingerprint of our sources that it runs; nothing reads it, but TFX's cache sees
                it.
            **arguments: As TFX's Evaluator takes them.
        """
        super().__init__(**arguments)
        self.exec_properties["code"] = code
