"""What people should know of a model beyond its figures: licence, limits, how to make it again."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.config import preset
from pipeline.pipelines.definition import PipelineDefinition
from pipeline.settings import setting_values

_OWN = "data of your own, whose licence is for you to know"


class About(NamedTuple):
    """What stands in the report and on the model card.

    Attributes:
        licence: Of the data.
        limits: Of the model.
        command: What makes it again of the same data.
    """

    licence: str
    limits: str
    command: str


def about(summary: Mapping[str, Any], pipeline: PipelineDefinition) -> About:
    """Returns it of a run.

    Args:
        summary: The run's.
        pipeline: Its definition.
    """
    known = pipeline.load_catalog().datasets.get(summary["data"]["dataset"])
    return About(known.licence if known else _OWN, pipeline.limits, _command(summary))


def _command(summary: Mapping[str, Any]) -> str:
    """Returns the command line with the settings that are not the preset's."""
    plain = json.loads(json.dumps(setting_values(preset(summary["pipeline"], summary["preset"]))))
    chosen = {name: v for part in summary["settings"].values() for name, v in part.items()}
    pairs = [f"preset={summary['preset']}"]
    pairs += [f"{name}={_text(v)}" for name, v in chosen.items() if v != plain.get(name)]
    words = ["python", "-m", "pipeline", "run", summary["pipeline"]]
    words += ["--dataset", summary["data"]["dataset"]]
    words += [word for pair in pairs for word in ("--set", pair)]
    return shlex.join(words)


def _text(value: Any) -> str:
    """Returns a value as `--set` takes it."""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)
