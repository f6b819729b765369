"""Whether this machine can run the pipelines, and what to do where it cannot."""

import ctypes
import glob
import importlib.metadata
import os
import pathlib
import platform
import shutil
import sysconfig
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.version import Version

from transforms.base.memory import free_memory

_PYTHONS = ("3.11", "3.12", "3.13")
_PROJECT = "tfx-recommenders"
_INSTALL = "pip install --require-hashes -r requirements.lock"
# What ML Metadata and TensorFlow Data Validation are built for.
_GLIBC = "2.39"
# The only package that is compiled when it is installed.
_COMPILED = "pyfarmhash"
# What TensorFlow 2.21 loads: CUDA 12 and cuDNN 9.
_GPU_LIBRARIES = ("libcudart.so.12", "libcublas.so.12", "libcudnn.so.9")
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
    """Returns a finding for all that the project runs on: software, GPU libraries, disk, memory.

    Args:
        output_root: The folder for results, which need not be there.
    """
    return [
        _python(),
        *_c_library(),
        *_compiler(),
        *(_package(Requirement(text)) for text in _requirements()),
        _gpu(),
        _disk(output_root),
        _memory(),
    ]


def _python() -> Finding:
    right = ".".join(platform.python_version_tuple()[:2]) in _PYTHONS
    remedy = f"use Python {', '.join(_PYTHONS)}, which TFX takes: make setup finds or fetches one"
    return Finding("Python", platform.python_version(), "" if right else remedy)


def _c_library() -> list[Finding]:
    # Of this process: make setup gives the environment's Python a newer one than the machine's.
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    if not name:
        return []
    remedy = f"TFX's packages need {_GLIBC}: make setup brings it on Debian and Ubuntu"
    return [Finding(name, version, "" if Version(version) >= Version(_GLIBC) else remedy)]


def _compiler() -> list[Finding]:
    """Returns what the packages' installation lacks, where it is still to be done."""
    if not _package(Requirement(_COMPILED)).remedy:
        return []
    compiler = shutil.which("c++") or shutil.which("g++")
    headers = os.path.join(sysconfig.get_path("include"), "Python.h")
    remedy = f"{_COMPILED} is compiled: install your system's package of it, such as"
    return [
        Finding("C++", compiler or "no compiler", "" if compiler else f"{remedy} g++"),
        Finding(
            "headers",
            headers if os.path.exists(headers) else "no Python.h",
            "" if os.path.exists(headers) else f"{remedy} python3-dev",
        ),
    ]


def _requirements() -> list[str]:
    """Returns what the project says it needs: its checkout, or the installed package."""
    file = pathlib.Path(__file__).parents[2] / "requirements.in"
    if file.exists():
        lines = file.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line and not line.startswith("#")]
    return importlib.metadata.requires(_PROJECT) or []


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
        remedy = (
            "pip install --require-hashes -r requirements-gpu.lock, or train on the CPU with "
            "num_gpus=0"
        )
        return Finding("GPU", f"driver, but not {', '.join(missing)}", remedy)
    return Finding("GPU", "driver, CUDA 12 and cuDNN 9")


def _disk(output_root: str) -> Finding:
    folder = os.path.abspath(output_root)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    free = shutil.disk_usage(folder).free / _GIB
    remedy = f"free {_DISK_GIB} GiB, or choose another disk with --output-root"
    found = f"{free:.1f} GiB free in {folder}"
    return Finding("disk", found, "" if free >= _DISK_GIB else remedy)


def _memory() -> Finding:
    free = free_memory() / _GIB
    remedy = f"ml-20m needs {_MEMORY_GIB} GiB: end other programs, or take a smaller data set"
    return Finding("memory", f"{free:.1f} GiB free", "" if free >= _MEMORY_GIB else remedy)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
