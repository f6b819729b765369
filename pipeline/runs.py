"""What is kept of every run: `runs/<time>.json` in a pipeline's output folder."""

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.configs import PRESETS
from pipeline.whole_file import whole_file
from transforms.errors import UserError

__all__ = ["Served", "keep_run", "latest_pushed", "list_runs", "past_runs", "write_whole"]

_RUNS = "runs"


@dataclass(frozen=True)
class Served:
    """A pushed model.

    Attributes:
        folder: Its SavedModel.
        run: The record of the run that pushed it.
    """

    folder: str
    run: dict[str, Any]


def keep_run(home: str, name: str, record: dict[str, Any]) -> str:
    """Writes a run's record, whole or not at all, and returns its text.

    Args:
        home: The pipeline's output folder.
        name: The run's name, which sorts by time.
        record: What to keep; a number that is not finite, which JSON does not know, becomes null.
    """
    text = json.dumps(_finite(record), indent=2) + "\n"
    os.makedirs(os.path.join(home, _RUNS), exist_ok=True)
    write_whole(os.path.join(home, _RUNS, f"{name}.json"), text)
    return text


def past_runs(home: str) -> list[dict[str, Any]]:
    """Returns the records of a pipeline's runs, the oldest first."""
    folder = os.path.join(home, _RUNS)
    records = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith(".json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                records.append(json.load(file))
    return records


def latest_pushed(output_root: str, pipeline: str) -> Served:
    """Returns the latest model that a pipeline pushed.

    Raises:
        UserError: There is none, or it is not known which run pushed it.
    """
    home = os.path.abspath(os.path.join(output_root, pipeline))
    models = _models(home)
    advice = f"run: python -m pipeline run {pipeline} --output-root {output_root}"
    if not models:
        raise UserError(f"{home}: no model was pushed there; {advice}")
    for run in reversed(past_runs(home)):
        if os.path.basename(run.get("pushed_model") or "") == models[-1]:
            return Served(os.path.join(home, "serving", models[-1]), run)
    raise UserError(f"{home}: no record of the run that pushed {models[-1]}; {advice}")


def list_runs(output_root: str) -> Iterator[str]:
    """Yields the lines of the list of runs and models, for all pipelines.

    Raises:
        UserError: There is no run.
    """
    found = False
    for pipeline in PRESETS:
        home = os.path.abspath(os.path.join(output_root, pipeline))
        runs, models = past_runs(home), _models(home)
        if not runs:
            continue
        found = True
        yield pipeline
        for run in runs:
            yield f"  {run['started'][:19].replace('T', ' ')}  {_outcome(run)}"
        yield f"  models in {os.path.join(home, 'serving')}: {', '.join(models) or 'none'}"
    if not found:
        raise UserError(f"{output_root}: no runs there; start one with: python -m pipeline run ncf")


def write_whole(path: str, text: str) -> None:
    """Writes a text file so that no reader ever sees a part of it."""
    with whole_file(path) as partial, open(partial, "w", encoding="utf-8") as file:
        file.write(text)


def _models(home: str) -> list[str]:
    """Returns the names of the pushed models, the oldest first; a name is a time in seconds."""
    serving = os.path.join(home, "serving")
    names = os.listdir(serving) if os.path.isdir(serving) else []
    return sorted((name for name in names if name.isdecimal()), key=int)


def _outcome(run: dict[str, Any]) -> str:
    """Returns data set, preset, how the run ended and what it measured, in one line."""
    bounds = PRESETS[run["pipeline"]][0].gate.bounds() if "metrics" in run else ()
    metrics = "  ".join(f"{b.metric} {_shown(run['metrics'].get(b.metric))}" for b in bounds)
    if run["outcome"] == "pushed":
        end = f"model {os.path.basename(run['pushed_model'])}"
    else:
        end = "; ".join(run["reasons"])
    columns = (run["data"]["dataset"], run["preset"], run["outcome"].replace("_", " "))
    return "  ".join(text for text in (*columns, metrics, end) if text)


def _shown(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.4f}"


def _finite(value: Any) -> Any:
    """Returns `value` with each number that is not finite as None."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
