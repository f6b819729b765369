"""The Tuner component."""

from tfx import v1 as tfx
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.tuning.executor import TunerExecutor


class Tuner(tfx.components.Tuner):
    """TFX's Tuner over a TunerExecutor, which takes settings for each run."""

    EXECUTOR_SPEC = ExecutorClassSpec(TunerExecutor)
