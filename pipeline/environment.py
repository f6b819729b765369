"""What runner files take from environment variables; only they read them."""

import contextlib
import sys
from collections.abc import Iterator, Mapping

from pipeline.config import PipelineConfig
from pipeline.pipelines.registry import pipelines
from pipeline.settings import configure
from transforms.base.errors import find_user_error
from transforms.base.settings import OneOf


class Environment:
    """Typed access to environment variables; a variable that is empty counts as not set."""

    def __init__(self, variables: Mapping[str, str]):
        self._variables = variables

    def get(self, name: str, default: str = "") -> str:
        """Returns a variable's value."""
        return self._variables.get(name, "") or default

    def settings(self) -> list[str]:
        """Returns the `name=value` pairs in SETTINGS."""
        return self.get("SETTINGS").split()

    def config(self, dataset: str = "") -> PipelineConfig:
        """Returns the pipeline that PIPELINE names, with the settings in SETTINGS.

        Args:
            dataset: The data set, which chooses the preset where SETTINGS does not.

        Raises:
            UserError: There is no such pipeline, preset or setting, or a value is not allowed.
        """
        known = tuple(pipelines())
        name = self.get("PIPELINE", known[0])
        OneOf(*known).check("PIPELINE", name)
        return configure(name, self.settings(), dataset)


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
