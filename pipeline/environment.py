"""What runner files take from environment variables; only they read them."""

import contextlib
import sys
from collections.abc import Iterator, Mapping

from pipeline.configs import PRESETS, PipelineConfig
from pipeline.settings import configure
from transforms.base.errors import UserError, find_user_error
from transforms.base.settings import OneOf

__all__ = ["Environment", "one_line_mistakes"]

_MEANINGS = {
    "DATA_ROOT": "the folder of the raw files, such as gs://bucket/ml-1m",
    "PIPELINE_ROOT": "the folder for all results, such as gs://bucket/pipelines",
    "PIPELINE_IMAGE": "the container image, such as registry.example/tfx-recommenders:1",
    "GOOGLE_CLOUD_PROJECT": "the Google Cloud project",
    "GOOGLE_CLOUD_REGION": "the Google Cloud region, such as europe-west4",
    "BEAM_MASTER": "the address of Flink's job manager, or of Beam's job server for Spark",
}


class Environment:
    """Typed access to environment variables; a variable that is empty counts as not set."""

    def __init__(self, variables: Mapping[str, str]):
        self._variables = variables

    def get(self, name: str, default: str = "") -> str:
        """Returns a variable's value."""
        return self._variables.get(name, "") or default

    def required(self, name: str) -> str:
        """Returns the value of a variable that has no default.

        Raises:
            UserError: It is not set.
        """
        value = self.get(name)
        if not value:
            raise UserError(f"{name} is not set: {_MEANINGS[name]}; export {name}=...")
        return value

    def count(self, name: str, default: int) -> int:
        """Returns a variable's value as a whole number, at least 0.

        Raises:
            UserError: It is none.
        """
        text = self.get(name, str(default))
        if not text.isascii() or not text.isdigit():
            raise UserError(f"{name}={text!r}: must be a whole number, at least 0")
        return int(text)

    def settings(self) -> list[str]:
        """Returns the `name=value` pairs in SETTINGS."""
        return self.get("SETTINGS").split()

    def config(self, default_preset: str = "") -> PipelineConfig:
        """Returns the pipeline that PIPELINE (ncf) names, with the settings in SETTINGS.

        Args:
            default_preset: The preset when SETTINGS names none; "" for the pipeline's first.

        Raises:
            UserError: There is no such pipeline, preset or setting, or a value is not allowed.
        """
        name = self.get("PIPELINE", "ncf")
        OneOf(*PRESETS).check("PIPELINE", name)
        return configure(name, self.settings(), default_preset)


@contextlib.contextmanager
def one_line_mistakes() -> Iterator[None]:
    """Ends the process with one line, and no traceback, for what its user can mend."""
    try:
        yield
    except Exception as error:
        mistake = find_user_error(error)
        if mistake is None:
            raise
        sys.exit(f"error: {mistake}")
