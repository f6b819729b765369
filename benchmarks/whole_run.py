"""Workloads: whole pipelines from the command line: their times, and what their models measure."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.baselines import Figures
from benchmarks.rating_baselines import Measured, Splits, over_splits
from benchmarks.timing import Timing
from components.wide_deep_trainer.ratings.config import RMSE
from transforms.base.errors import UserError

_REFUSED_BY_MODEL_GATE = 3


def run_pipeline(pipeline: str, folder: str, settings: Sequence[str]) -> Timing:
    """Times `python -m pipeline run`, with the time of each component.

    Args:
        pipeline: Its name.
        folder: The data set's folder.
        settings: What `--set` is given.
    """
    seconds, summary = _run(pipeline, folder, settings)
    return Timing([seconds], summary["counters"]["rows"], parts=summary["seconds"])


def train_ncf(folder: str, preset: str) -> Timing:
    """Times the training of a preset, with what its model measures on the held-out items.

    Args:
        folder: The data set's folder.
        preset: The preset's name.
    """
    _, summary = _run("ncf", folder, [f"preset={preset}"])
    figures = {name: summary["metrics"][name] for name in Figures._fields}
    return Timing([summary["seconds"]["Trainer"]], summary["counters"]["users"], figures=figures)


def train_ratings(folder: str, settings: Sequence[str], splits: Splits) -> Timing:
    """Times the training of a model, with the mean of the RMSE that it has on the splits of a kind.

    Args:
        folder: The data set's folder.
        settings: What `--set` is given in each run.
        splits: As for `over_splits`.
    """

    def measure(split: Mapping[str, Any]) -> Measured:
        given = [f"{name}={value}" for name, value in split.items()]
        _, summary = _run("movielens", folder, [*settings, *given])
        rows = summary["counters"]["rows_train"]
        return Measured(summary["seconds"]["Trainer"], rows, summary["metrics"][RMSE])

    return over_splits(splits, measure)


def _run(pipeline: str, folder: str, settings: Sequence[str]) -> tuple[float, dict[str, Any]]:
    """Returns the seconds and the summary of a run; that the gate refuses it is no failure."""
    command = [sys.executable, "-m", "pipeline", "run", pipeline, "--dataset", folder]
    command += ["--no-download"]
    command += [word for setting in settings for word in ("--set", setting)]
    with tempfile.TemporaryDirectory() as output_root:
        began = time.perf_counter()
        done = subprocess.run([*command, "--output-root", output_root], check=False)
        seconds = time.perf_counter() - began
        if done.returncode not in (0, _REFUSED_BY_MODEL_GATE):
            raise UserError(f"the pipeline ended with exit code {done.returncode}")
        with open(os.path.join(output_root, pipeline, "summary.json"), encoding="utf-8") as file:
            return seconds, json.load(file)
