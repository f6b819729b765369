"""A container's command run as a process of this machine."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

_TAIL = 4000


class StepFailedError(AssertionError):
    """A container ended with an error; the message holds the end of what it said."""


def container_environment(packages: str, folder: str) -> dict[str, str]:
    """Returns what the image sets: this interpreter as `python`, and the project installed.

    Args:
        packages: The folder that the project is installed in.
        folder: Serves as home and for temporary files.
    """
    return {
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), "/usr/bin", "/bin"]),
        "PYTHONPATH": packages,
        "HOME": folder,
        "TMPDIR": folder,
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def run_container(name: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Runs a step's command line in the root folder, as an image without a work folder does.

    Returns:
        What it printed.

    Raises:
        StepFailedError: It ended with a code other than 0.
    """
    done = subprocess.run(
        command,
        cwd="/",
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise StepFailedError(f"{name} ended with {done.returncode}:\n{done.stdout[-_TAIL:]}")
    return done.stdout
