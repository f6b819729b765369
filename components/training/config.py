"""Settings that all trainers take, under the names of their command-line flags."""

import dataclasses

from transforms.base.settings import check, check_seed

__all__ = ["LoopConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How long and on what a model trains.

    Attributes:
        train_epochs: Passes over the training examples, at least 1.
        epochs_between_evals: Evaluate after every this many epochs, and after the last one.
        stop_threshold: Stop once the trainer's stop metric reaches it; None trains to the end.
        batch_size: Examples in a step, over all replicas.
        num_gpus: GPUs of this machine to train on; 0 trains on its CPU.
        xla: Compile the training step with XLA.
        mixed_precision: Compute in bfloat16; variables stay float32.
        seed: Seed of the weights, of the order of the examples and of all sampling.
        profile: Write a profiler trace of one epoch beside the TensorBoard logs.
    """

    train_epochs: int
    batch_size: int
    epochs_between_evals: int = 1
    stop_threshold: float | None = None
    num_gpus: int = 0
    xla: bool = False
    mixed_precision: bool = False
    seed: int = 0
    profile: bool = False

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        for field in ("train_epochs", "batch_size", "epochs_between_evals"):
            check(getattr(self, field) >= 1, field, getattr(self, field), "at least 1")
        check(self.num_gpus >= 0, "num_gpus", self.num_gpus, "at least 0")
        check_seed(self.seed)
