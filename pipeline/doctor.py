"""Whether this machine can run the pipelines, and what to do where it cannot."""

import ctypes
import glob
import importlib.metadata
import os
import platform
import shutil
import sys
import sysconfig
from typing import NamedTuple

from packaging.requirements import Requirement

__all__ = ["Finding", "diagnose"]

_PYTHON = (3, 10)
# What breaks a run, or the tfx command, when another version is installed.
_REQUIREMENTS = (
    "tfx==1.15.1",
    "tensorflow==2.15.1",
    "tensorflow-transform==1.15.0",
    "apache-beam==2.65.0",
    "protobuf>=3.20.3,<5",
    "kfp==1.8.22",
    "setuptools<81",
    "pip",
)
_INSTALL = "pip install --require-hashes -r requirements.lock"
# What TensorFlow 2.15 loads: CUDA 12 and cuDNN 8.
_GPU_LIBRARIES = ("libcudart.so.12", "libcublas.so.12", "libcudnn.so.8")
_DRIVER = "libcuda.so.1"
_GIB = 1 << 30
_DISK_GIB = 5
_MEMORY_GIB = 4


class Finding(NamedTuple):
    """The outcome of one check.

    Attributes:
        name: What was checked.
        found: What is there.
        remedy: What to do; "" where all is well.
    """

    name: str
    found: str
    remedy: str = ""


def diagnose(output_root: str) -> list[Finding]:
    """Returns a finding for Python, each package that matters, GPU libraries, disk and memory.

    Args:
        output_root: The folder for results, which need not be there.
    """
    return [
        _python(),
        *(_package(Requirement(text)) for text in _REQUIREMENTS),
        _gpu(),
        _disk(output_root),
        _memory(),
    ]


def _python() -> Finding:
    wanted = ".".join(map(str, _PYTHON))
    right = sys.version_info[:2] == _PYTHON
    remedy = f"use Python {wanted}, which TFX needs: make setup builds an environment with it"
    return Finding("Python", platform.python_version(), "" if right else remedy)


def _package(wanted: Requirement) -> Finding:
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(wanted.name, "not installed", _INSTALL)
    remedy = "" if wanted.specifier.contains(version) else f"needs {wanted.specifier}: {_INSTALL}"
    return Finding(wanted.name, version, remedy)


def _gpu() -> Finding:
    if not _loads(_DRIVER):
        return Finding("GPU", "no NVIDIA driver: training runs on the CPU")
    # Where the packages of tensorflow[and-cuda] put them, and TensorFlow finds them.
    packaged = os.path.join(sysconfig.get_path("purelib"), "nvidia", "*", "lib")
    missing = [
        name
        for name in _GPU_LIBRARIES
        if not glob.glob(os.path.join(packaged, name)) and not _loads(name)
    ]
    if missing:
        remedy = 'pip install "tensorflow[and-cuda]==2.15.1", or train on the CPU with num_gpus=0'
        return Finding("GPU", f"driver, but not {', '.join(missing)}", remedy)
    return Finding("GPU", "driver, CUDA 12 and cuDNN 8")


def _disk(output_root: str) -> Finding:
    folder = os.path.abspath(output_root)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    free = shutil.disk_usage(folder).free / _GIB
    remedy = f"free {_DISK_GIB} GiB, or choose another disk with --output-root"
    found = f"{free:.1f} GiB free in {folder}"
    return Finding("disk", found, "" if free >= _DISK_GIB else remedy)


def _memory() -> Finding:
    free = _free_memory() / _GIB
    remedy = f"ml-20m needs {_MEMORY_GIB} GiB: end other programs, or take a smaller data set"
    return Finding("memory", f"{free:.1f} GiB free", "" if free >= _MEMORY_GIB else remedy)


def _free_memory() -> float:
    """Returns the bytes that are free on the machine, or the container's limit if it is lower."""
    with open("/proc/meminfo", encoding="ascii") as file:
        kib = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            limit = float(file.read().replace("max", "inf"))
    except FileNotFoundError:
        limit = float("inf")
    return min(kib * 1024, limit)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
