"""The list of a pipeline's settings, for people and for their scripts."""

import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from pipeline.config import PipelineConfig
from pipeline.settings import describe, setting_values

_INDENT = "    "


def terminal_width() -> int:
    """Returns how wide a line may be that people can read; 0 where a program reads it."""
    return min(shutil.get_terminal_size().columns, 100) if sys.stdout.isatty() else 0


def settings_lines(config: PipelineConfig, width: int) -> Iterator[str]:
    """Yields the presets, then each setting: what `--set` takes, and indented what it means.

    Args:
        config: Whose values to show.
        width: Of a line; 0 wraps none, so that whoever searches finds a setting in three lines.
    """
    yield f"presets: {', '.join(config.definition.presets)}"
    meanings = describe(config)
    for name, value in sorted(setting_values(config).items()):
        yield f"{name}={_text(value)}"
        for sentence in (meanings[name].what, f"Must be {meanings[name].rule}."):
            lines = textwrap.wrap(sentence, width - len(_INDENT)) if width else [sentence]
            yield from (_INDENT + line for line in lines)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(_text(entry) for entry in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)
