"""The epoch loop: train, evaluate, log, checkpoint, stop; resumes where a killed run stopped."""

import dataclasses
import json
import math
import os
import time
from typing import Any, NamedTuple, Protocol

import tensorflow as tf
from absl import logging

from components.training.checkpoints import Checkpoints
from components.training.config import LoopConfig
from components.training.strategy import is_chief
from transforms.base.digest import digest
from transforms.base.errors import UserError

HISTORY_FILE = "training.json"


class DivergedError(UserError):
    """The loss or a metric is not finite."""


@dataclasses.dataclass(frozen=True)
class EpochStats:
    """What one epoch of training did.

    Attributes:
        loss: Mean training loss over the epoch.
        examples: Examples seen by all workers together.
    """

    loss: float
    examples: int


class Fit(Protocol):
    """A model in training."""

    @property
    def checkpoint(self) -> tf.train.Checkpoint:
        """What training changes: model and optimiser."""

    def train_epoch(self, epoch: int) -> EpochStats:
        """Trains one epoch, given its number from 0."""

    def evaluate(self) -> dict[str, float]:
        """Returns the metrics of the current weights."""


class Goal(NamedTuple):
    """A metric that a fit evaluates, and whether it is to rise or to fall."""

    metric: str
    higher_is_better: bool = True


@dataclasses.dataclass(frozen=True)
class TrainingHistory:
    """What a training run did.

    Attributes:
        epochs: One dict an epoch: `epoch` (from 1), `loss`, `examples`, `seconds`, and the
            metrics when it was evaluated.
        examples_per_second: Training speed, all workers together, evaluation excluded. The first
            epoch of a process, which traces and compiles, counts only when it is the only one.
    """

    epochs: list[dict[str, float]]
    examples_per_second: float


def checkpoint_dir(fn_args: Any) -> str:
    """Returns the folder for a run's checkpoints: the same one for the same settings and data.

    TFX gives every attempt a new output folder. This one depends only on the configuration, the
    source fingerprint and the input, so that an attempt finds what another left.

    Args:
        fn_args: TFX's FnArgs; `custom_config` holds "config", "code" and "checkpoint_root". With
            an empty root the folder lies in `model_run_dir`, where no other attempt looks.
    """
    custom = fn_args.custom_config
    identity = [custom["config"], custom["code"], fn_args.train_files, fn_args.eval_files]
    name = digest(json.dumps(identity).encode())
    return os.path.join(custom["checkpoint_root"] or fn_args.model_run_dir, name)


def run_loop(
    config: LoopConfig,
    *,
    strategy: tf.distribute.Strategy,
    fit: Fit,
    goal: Goal,
    checkpoints: Checkpoints,
    log_dir: str,
) -> TrainingHistory:
    """Trains until the last epoch or the stop threshold.

    After every epoch the state is checkpointed; a later call with `checkpoints` of the same folder
    continues after the last whole epoch. A run whose `train_epoch` depends on nothing but the
    epoch's number and the checkpointed variables has the same history however often it is cut.

    Args:
        config: Epochs, intervals, threshold, profiling.
        strategy: Only its chief writes checkpoints and logs.
        fit: What to train.
        goal: What `config.stop_threshold` is a value of.
        checkpoints: Where they are kept; the caller removes them after export.
        log_dir: Receives TensorBoard logs and, whole and once, `training.json` (the
            TrainingHistory).

    Raises:
        DivergedError: The loss or a metric is not finite.
        UserError: The checkpoint is damaged.
    """
    done = tf.Variable(0, dtype=tf.int64, trainable=False)
    record = tf.Variable("[]", dtype=tf.string, trainable=False)
    state = tf.train.Checkpoint(run=fit.checkpoint, done=done, record=record)
    if path := checkpoints.restore(state):
        logging.info("resuming after epoch %d from %s", done.numpy(), path)
    manager = checkpoints.manager(state)
    epochs: list[dict[str, float]] = json.loads(record.numpy())
    start = int(done.numpy())
    chief = is_chief(strategy)
    writer = tf.summary.create_file_writer(log_dir) if chief else tf.summary.create_noop_writer()
    last = config.train_epochs - 1

    for epoch in range(start, config.train_epochs):
        if epochs and _reached(config, goal, epochs[-1]):
            break
        profiled = config.profile and chief and epoch == min(start + 1, last)
        if profiled:
            tf.profiler.experimental.start(log_dir)
        began = time.perf_counter()
        stats = fit.train_epoch(epoch)
        seconds = time.perf_counter() - began
        if profiled:
            tf.profiler.experimental.stop()
        _check_finite(epoch, {"loss": stats.loss})
        metrics = {}
        if (epoch + 1) % config.epochs_between_evals == 0 or epoch == last:
            metrics = fit.evaluate()
            _check_finite(epoch, metrics)
        entry = {
            "epoch": epoch + 1,
            "loss": stats.loss,
            "examples": stats.examples,
            "seconds": seconds,
            **metrics,
        }
        epochs.append(entry)
        _log(writer, entry, metrics, config.train_epochs)
        done.assign(epoch + 1)
        record.assign(json.dumps(epochs))
        if chief:
            manager.save()

    history = TrainingHistory(epochs, _speed(epochs[start:] or epochs))
    if chief:
        _write_whole(os.path.join(log_dir, HISTORY_FILE), json.dumps(dataclasses.asdict(history)))
    return history


def _reached(config: LoopConfig, goal: Goal, epoch: dict[str, float]) -> bool:
    value, threshold = epoch.get(goal.metric), config.stop_threshold
    if value is None or threshold is None:
        return False
    return value >= threshold if goal.higher_is_better else value <= threshold


def _check_finite(epoch: int, values: dict[str, float]) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise DivergedError(
                f"epoch {epoch + 1}: {name}={value}: training diverged; lower learning_rate"
            )


def _log(
    writer: tf.summary.SummaryWriter, entry: dict[str, float], metrics: dict, epochs: int
) -> None:
    speed = entry["examples"] / entry["seconds"]
    with writer.as_default(step=int(entry["epoch"])):
        for name, value in {"loss": entry["loss"], "examples_per_second": speed, **metrics}.items():
            tf.summary.scalar(name, value)
        writer.flush()
    shown = "".join(f", {name} {value:.4f}" for name, value in metrics.items())
    logging.info(
        "epoch %d of %d, %.0f s left: loss %.4f%s, %.0f examples/s",
        entry["epoch"],
        epochs,
        entry["seconds"] * (epochs - entry["epoch"]),
        entry["loss"],
        shown,
        speed,
    )


def _speed(epochs: list[dict[str, float]]) -> float:
    timed = epochs[1:] or epochs
    return sum(e["examples"] for e in timed) / sum(e["seconds"] for e in timed)


def _write_whole(path: str, text: str) -> None:
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(f"{path}.tmp", "w") as file:
        file.write(text)
    tf.io.gfile.rename(f"{path}.tmp", path, overwrite=True)
