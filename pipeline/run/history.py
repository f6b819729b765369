"""What is kept of every run: `runs/<time>.json` in a pipeline's output folder."""

import json
import math
import os
from collections.abc import Iterator
from typing import Any

from components.model_records.in_use import ServedModel, model_in_use, served_models
from components.model_records.record import RESTORES, compared_with
from pipeline.config import preset
from pipeline.pipelines.registry import pipelines
from pipeline.run.plain_folder import plain_folder
from transforms.base.errors import UserError
from transforms.base.whole_file import whole_file

_RUNS = "runs"


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


def latest_pushed(output_root: str, pipeline: str) -> ServedModel:
    """Returns a pipeline's model in use.

    Raises:
        UserError: There is none.
    """
    home = os.path.abspath(os.path.join(plain_folder(output_root), pipeline))
    model = model_in_use(os.path.join(home, "serving"))
    if model is None:
        raise UserError(
            f"{os.path.abspath(os.path.join(output_root, pipeline))}: no model was pushed there; "
            f"run: python -m pipeline run {pipeline} --output-root {output_root}"
        )
    return model


def list_runs(output_root: str) -> Iterator[str]:
    """Yields the lines of the list of runs and models, for all pipelines.

    Raises:
        UserError: There is no run.
    """
    found = False
    for pipeline in pipelines():
        home = os.path.abspath(os.path.join(output_root, pipeline))
        runs, models = past_runs(home), _models(home)
        if not runs:
            continue
        found = True
        yield pipeline
        for run in runs:
            yield f"  {run['started'][:19].replace('T', ' ')}  {_outcome(run)}"
        yield f"  models in {os.path.join(home, 'serving')}: {'' if models else 'none'}".rstrip()
        yield from (f"    {model}" for model in models)
    if not found:
        raise UserError(
            f"{output_root}: no runs there; start one with: "
            f"python -m pipeline run {next(iter(pipelines()))}"
        )


def write_whole(path: str, text: str) -> None:
    """Writes a text file so that no reader ever sees a part of it."""
    with whole_file(path) as partial, open(partial, "w", encoding="utf-8") as file:
        file.write(text)


def _models(home: str) -> list[str]:
    """Returns the whole models by version, the newest first, each with what its record tells."""
    return [
        f"{model.version}  {_origin(model.record)}{'' if place else '  in use'}"
        for place, model in enumerate(served_models(os.path.join(home, "serving")))
    ]


def _origin(record: dict[str, Any] | None) -> str:
    if record is None:
        return "no record"
    version, restored = compared_with(record), record.get(RESTORES)
    compared = f"compared with {version}" if version else ""
    restores = f"restores {restored}" if restored else ""
    columns = (record["dataset"], _metrics(record), compared, restores)
    return "  ".join(text for text in columns if text)


def _outcome(run: dict[str, Any]) -> str:
    """Returns data set, preset, how the run ended and what it measured, in one line."""
    if run["outcome"] == "pushed":
        end = f"model {os.path.basename(run['pushed_model'])}"
    else:
        end = "; ".join(run["reasons"])
    columns = (run["data"]["dataset"], run["preset"], run["outcome"].replace("_", " "))
    return "  ".join(text for text in (*columns, _metrics(run), end) if text)


def _metrics(record: dict[str, Any]) -> str:
    """Returns the metrics that bounds are on, of the record of a run or of a model."""
    bounds = preset(record["pipeline"]).gate.limits().bounds_on if "metrics" in record else ()
    return "  ".join(f"{b.metric} {_shown(record['metrics'].get(b.metric))}" for b in bounds)


def _shown(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.4f}"


def _finite(value: Any) -> Any:
    """Returns `value` with each number that is not finite as None."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
