"""The Trainer component."""

from tfx import v1 as tfx
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.training.executor import TrainerExecutor


class Trainer(tfx.components.Trainer):
    """TFX's Trainer over a TrainerExecutor, which takes settings for each run."""

    EXECUTOR_SPEC = ExecutorClassSpec(TrainerExecutor)
