"""Runs workloads in processes of their own and watches the memory of each."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil

from benchmarks.timing import Timing
from transforms.base.errors import UserError

_LOOK_SECONDS = 0.05
_HEARTBEAT_SECONDS = 5.0


def measure(
    name: str,
    function: str,
    arguments: dict[str, Any],
    work_dir: str,
    say: Callable[[str], None],
) -> tuple[Timing | None, float]:
    """Runs a workload and returns its Timing, if it has one, and its peak memory in MiB.

    The peak is of the resident memory of the process and all its descendants together, looked at
    twenty times a second. Memory that they share counts for each of them.

    Args:
        name: For progress and for the log's name.
        function: "module:function" of this package.
        arguments: Its keyword arguments, as JSON knows them.
        work_dir: Receives the log, and what the workload writes while it runs.
        say: Takes a line of progress, at least every five seconds.

    Raises:
        UserError: The workload failed; the message has its last line and the log's path.
    """
    logs, scratch = os.path.join(work_dir, "logs"), os.path.join(work_dir, "scratch")
    for folder in (logs, scratch):
        os.makedirs(folder, exist_ok=True)
    stem = os.path.join(logs, re.sub(r"\W+", "_", name))
    result, log_file = f"{stem}.json", f"{stem}.log"
    command = [sys.executable, "-m", "benchmarks.child", function, json.dumps(arguments), result]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "TMPDIR": scratch}
    with open(log_file, "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            peak = _watch(process, lambda elapsed: say(f"  {name:<44} {elapsed:4.0f} s ..."))
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        with open(log_file, encoding="utf-8") as log:
            last_line = ([line for line in log.read().splitlines() if line] or ["no message"])[-1]
        raise UserError(f"{name}: {last_line[:300]}; the whole log: {log_file}")
    with open(result, encoding="utf-8") as file:
        timing = json.load(file)
    return (Timing(**timing) if timing else None), peak / 2**20


def _watch(process: subprocess.Popen, beat: Callable[[float], None]) -> int:
    """Returns the most bytes that the process and its descendants held, once it has ended."""
    root = psutil.Process(process.pid)
    began = spoke = time.perf_counter()
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(_resident(one) for one in [root, *_descendants(root)]))
        now = time.perf_counter()
        if now - spoke >= _HEARTBEAT_SECONDS:
            spoke = now
            beat(now - began)
        time.sleep(_LOOK_SECONDS)
    return peak


def _descendants(root: psutil.Process) -> list[psutil.Process]:
    try:
        return root.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _end(process: subprocess.Popen) -> None:
    for one in _descendants(psutil.Process(process.pid)):
        one.kill()
    process.kill()
    process.wait()
