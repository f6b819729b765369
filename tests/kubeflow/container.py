"""A container's command run as a process of this machine."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TAIL = 4000


class StepFailedError(AssertionError):
    """A container ended with an error; the message holds the end of what it said."""


@dataclass(frozen=True)
class Ended:
    """How a step's container ended, and what it said."""

    name: str
    code: int
    said: str

    def check(self) -> None:
        """Raises StepFailedError if it ended with a code other than 0."""
        if self.code != 0:
            raise StepFailedError(f"{self.name} ended with {self.code}:\n{self.said[-_TAIL:]}")


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


def run_container(
    name: str, command: Sequence[str], environment: Mapping[str, str], mounts: str = "/"
) -> Ended:
    """Runs a step's command line in the root folder, as an image without a work folder does.

    Args:
        name: The step's, for messages.
        command: `python -m` with a module and its arguments.
        environment: All environment variables.
        mounts: Where the folders are that Kubeflow's launcher has in the root folder.
    """
    python, option, module, *arguments = command
    assert (python, option) == ("python", "-m")
    path = os.path.join(environment["TMPDIR"], "said")
    step = {
        "module": module,
        "arguments": arguments,
        "environment": dict(environment),
        "output": path,
        "mounts": mounts,
    }
    code = _interpreter(environment["PYTHONPATH"]).run(step)
    with open(path, encoding="utf-8", errors="replace") as file:
        said = file.read()
    return Ended(name, code, said)


# Most of a container's time goes to importing TFX. This process does it once, and each step is a
# fork of it that goes on as `python -m` does.
_FORKS = """
import gc, json, os, runpy, sys

replies = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
gc.disable()
from tfx import v1
gc.freeze()
gc.enable()
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=replies)
else:
    sys.exit()
step = json.loads(line)
os.environ.clear()
os.environ.update(step["environment"])
output = os.open(step["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.dup2(output, 1)
os.dup2(output, 2)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
if step["module"] == "kubeflow.run_executor":
    from kubeflow import run_executor

    sys.exit(run_executor.main(step["arguments"], step["mounts"]))
sys.argv = ["", *step["arguments"]]
runpy.run_module(step["module"], run_name="__main__", alter_sys=True)
"""


class _Interpreter:
    """A Python that has imported TFX; it ends when this process does, which closes its input."""

    def __init__(self, packages: str):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FORKS],
            cwd="/",
            env=container_environment(packages, packages),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, step: Mapping[str, Any]) -> int:
        """Returns the exit code of a step."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(step), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


_interpreter = functools.cache(_Interpreter)
