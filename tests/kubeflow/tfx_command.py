"""The `tfx` command, from a folder outside the project."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TFX = os.path.join(os.path.dirname(sys.executable), "tfx")

# The executable's own code, once for each command: a process costs ten seconds of imports.
_SESSION = """
import contextlib, io, json, os, runpy, sys

def run(command):
    said = io.StringIO()
    sys.argv = ["tfx", *command["arguments"]]
    os.environ.clear()
    os.environ.update(command["environment"])
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runpy.run_path({tfx!r}, run_name="__main__")
        except SystemExit as end:
            code = end.code
    if isinstance(code, str):
        return [1, said.getvalue() + code]
    return [code or 0, said.getvalue()]

answers = [run(command) for command in json.load(sys.stdin)]
print()
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Command:
    """A `tfx` command line.

    Attributes:
        arguments: What follows `tfx`.
        environment: All environment variables.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    said: str

    @property
    def last_line(self) -> str:
        return self.said.strip().splitlines()[-1]


def run_in_one_process(commands: Sequence[Command], folder: str, prelude: str = "") -> list[Done]:
    """Runs commands one after the other in one process whose working folder is `folder`."""
    done = subprocess.run(
        [sys.executable, "-c", prelude + _SESSION.format(tfx=TFX)],
        input=json.dumps([vars(command) for command in commands]),
        cwd=folder,
        env=dict(commands[0].environment),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [Done(*answer) for answer in json.loads(done.stdout.splitlines()[-1])]


def run_alone(command: Command, folder: str) -> Done:
    """Runs a command in a process of its own whose working folder is `folder`."""
    done = subprocess.run(
        [TFX, *command.arguments],
        cwd=folder,
        env=dict(command.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Done(done.returncode, done.stdout)
