"""Whether an exported model answers in a fresh process: what TFX has its InfraValidator for."""

import os
import subprocess
import sys
import tempfile
from types import TracebackType

from components.evaluator import ask_model
from transforms.base.errors import UserError

_SECONDS = 600


class UnservableModelError(UserError):
    """The exported model cannot be served; the message names the signature."""


class SmokeTest:
    """`ask_model` at work beside the evaluation, in a process that has never seen our code.

    As a context it ends the process with itself.
    """

    def __init__(self, model: str, examples: str):
        """Starts it.

        Args:
            model: The SavedModel's folder.
            examples: A pattern of files, as `ask_model.main` takes it.
        """
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115
        # Isolated, it imports nothing of ours; and a GPU's memory is the evaluation's.
        self._process = subprocess.Popen(
            [sys.executable, "-I", ask_model.__file__, model, examples],
            stdout=subprocess.PIPE,
            stderr=self._told,
            text=True,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
        )

    def __enter__(self) -> "SmokeTest":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._told.close()

    def failure(self) -> str:
        """Waits for its end, and returns why the model cannot be served, or ""."""
        what = "the exported model does not answer in a process of its own"
        try:
            line, _ = self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            return f"{what}: no end after {_SECONDS} s"
        if not self._process.returncode:
            return ""
        if not line:
            self._told.seek(0)
            line = (self._told.read().strip().splitlines() or [""])[-1]
        return f"{what}: {line.strip() or f'exit code {self._process.returncode}'}"
