"""The Evaluator component."""

from tfx import v1 as tfx
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec

from components.evaluator.executor import EvaluatorExecutor

__all__ = ["Evaluator"]


class Evaluator(tfx.components.Evaluator):
    """TFX's Evaluator over an EvaluatorExecutor, which takes bounds for each run."""

    EXECUTOR_SPEC = BeamExecutorSpec(EvaluatorExecutor)
