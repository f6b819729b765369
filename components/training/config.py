"""Settings that all trainers take, under the names of their command-line flags."""

import dataclasses
from typing import Annotated

from transforms.base.settings import Range, Seed, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoopConfig(Settings):
    """How long and on what a model trains.

    Attributes:
        train_epochs: Passes over the training examples.
        epochs_between_evals: Evaluate after every this many epochs, and after the last one.
        stop_threshold: Stop once the trainer's stop metric reaches it; none trains to the end.
        batch_size: Examples in a step, over all replicas.
        num_gpus: GPUs of this machine to train on; 0 trains on its CPU.
        xla: Compile the training step with XLA.
        mixed_precision: Compute in bfloat16; variables stay float32.
        seed: Seed of the weights, of the order of the examples and of all sampling.
        profile: Write a profiler trace of one epoch beside the TensorBoard logs.
    """

    train_epochs: Annotated[int, Range(at_least=1)]
    batch_size: Annotated[int, Range(at_least=1)]
    epochs_between_evals: Annotated[int, Range(at_least=1)] = 1
    stop_threshold: float | None = None
    num_gpus: Annotated[int, Range(at_least=0)] = 0
    xla: bool = False
    mixed_precision: bool = False
    seed: Seed = 0
    profile: bool = False
