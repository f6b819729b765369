"""Workload: a whole pipeline from the command line, with the time of each component."""

import json
import os
import subprocess
import sys
import tempfile
import time

from benchmarks.timing import Timing
from transforms.base.errors import UserError

_REFUSED_BY_MODEL_GATE = 3


def run_ncf(folder: str, settings: list[str]) -> Timing:
    """Times `python -m pipeline run ncf`; that the gate refuses its model is no failure.

    Args:
        folder: The data set's folder.
        settings: What `--set` is given.
    """
    command = [sys.executable, "-m", "pipeline", "run", "ncf", "--dataset", folder]
    command += ["--no-download"]
    command += [word for setting in settings for word in ("--set", setting)]
    with tempfile.TemporaryDirectory() as output_root:
        began = time.perf_counter()
        done = subprocess.run([*command, "--output-root", output_root], check=False)
        seconds = time.perf_counter() - began
        if done.returncode not in (0, _REFUSED_BY_MODEL_GATE):
            raise UserError(f"the pipeline ended with exit code {done.returncode}")
        with open(os.path.join(output_root, "ncf", "summary.json"), encoding="utf-8") as file:
            summary = json.load(file)
    return Timing([seconds], summary["counters"]["rows"], parts=summary["seconds"])
