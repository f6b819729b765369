"""What a run was measured on: the machine's parts, and what they can do right now."""

import importlib.metadata
import os
import platform
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import psutil

_PACKAGES = ("tfx", "tensorflow", "apache-beam", "pyarrow", "numpy", "pandas")
_MATRIX = 2048
_COPIED_BYTES = 256 << 20


def machine_facts() -> dict[str, Any]:
    """Returns the processor, its cores, the memory and the versions that matter."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def yardstick() -> dict[str, float]:
    """Returns how fast fixed pieces of work are, to compare runs and to know the limits.

    `python_seconds` is a loop in Python and some compression, on two cores at a time, the median
    of four; `copy_gb_per_second` counts bytes read and written; `matmul_gflops` is float32.
    """
    with ProcessPoolExecutor(2) as pool:
        seconds = sorted(pool.map(_python_work, range(4)))
    source, target = np.ones(_COPIED_BYTES, np.uint8), np.zeros(_COPIED_BYTES, np.uint8)
    matrix = np.ones((_MATRIX, _MATRIX), np.float32)
    copy = min(_seconds(lambda: np.copyto(target, source)) for _ in range(3))
    product = min(_seconds(lambda: matrix @ matrix) for _ in range(3))
    return {
        "python_seconds": round((seconds[1] + seconds[2]) / 2, 3),
        "copy_gb_per_second": round(2 * _COPIED_BYTES / copy / 1e9, 1),
        "matmul_gflops": round(2 * _MATRIX**3 / product / 1e9, 1),
    }


def _python_work(_: int) -> float:
    def work() -> None:
        total = 0
        for i in range(4_000_000):
            total += i
        zlib.compress(bytes(range(256)) * 65_536, 6)

    return _seconds(work)


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _cpu_model() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
