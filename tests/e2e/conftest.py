import dataclasses
import json
import os
import subprocess
import sys

import pytest

from pipeline.cli import main

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


@dataclasses.dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def mistake(self):
        """The one line that tells of a user's mistake.

        In this process the stack's logs get past the file descriptors to pytest's own stream.
        """
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert self.err.splitlines()[-1:] == lines
        return lines[0]


class Workplace:
    """A data root and an output root for runs of one pipeline."""

    def __init__(self, pipeline, folder):
        self.pipeline = pipeline
        self.folder = folder
        self.data = str(folder / "data")
        self.home = str(folder / "output" / pipeline)

    def _arguments(self, arguments):
        if "--dataset" not in arguments:
            arguments = ["--dataset", "sample", *arguments]
        roots = ["--data-root", self.data, "--output-root", os.path.dirname(self.home)]
        return ["run", self.pipeline, "--no-download", *roots, *arguments]

    def run(self, *arguments):
        """Runs the command line in a process of its own.

        Transform's lookup tables have names that two pipelines in one process would share.
        """
        command = [sys.executable, "-m", "pipeline", *self._arguments(arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return Done(done.returncode, done.stdout, done.stderr)

    def run_here(self, capfd, *arguments):
        """Runs the command line in this process, which has paid for the imports."""
        capfd.readouterr()
        code = main(self._arguments(arguments))
        return Done(code, *capfd.readouterr())

    def summary(self):
        with open(os.path.join(self.home, "summary.json"), encoding="utf-8") as file:
            return json.load(file)

    def executed(self):
        """Components that ran in the latest run, less the resolver, which is never cached."""
        summary = self.summary()
        return set(summary["seconds"]) - set(summary["cached"]) - {"BaselineResolver"}

    def pushed(self):
        serving = os.path.join(self.home, "serving")
        return sorted(os.listdir(serving)) if os.path.isdir(serving) else []


@pytest.fixture(scope="module")
def workplace(request, tmp_path_factory):
    """A workplace for the pipeline that the test module names in PIPELINE."""
    name = request.module.PIPELINE
    return Workplace(name, tmp_path_factory.mktemp(name))
