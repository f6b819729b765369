"""The Pusher component."""

from tfx import v1 as tfx
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.pusher.executor import PusherExecutor


class Pusher(tfx.components.Pusher):
    """TFX's Pusher over a PusherExecutor, which takes the record along with the model."""

    EXECUTOR_SPEC = ExecutorClassSpec(PusherExecutor)
