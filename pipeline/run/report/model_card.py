"""Writes the card of a pushed model: a page of Markdown beside it."""

import json
import os
from typing import Any

import jinja2

from pipeline.pipelines.registry import definition
from pipeline.run.history import write_whole
from pipeline.run.report.about import about
from pipeline.run.report.measured import COUNT, metric_rows, metric_titles, slice_rows

FILE = "model_card.md"


def write_model_card(summary_file: str) -> None:
    """Writes the card into the pushed model's folder, whole or not at all.

    Args:
        summary_file: The run's summary; where nothing was pushed, no card is written.
    """
    with open(summary_file, encoding="utf-8") as file:
        summary = json.load(file)
    if not summary["pushed_model"]:
        return
    pipeline = definition(summary["pipeline"])
    titles = metric_titles(summary, pipeline)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.run.report"),
        # Markdown, of what the run itself has written.
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["figure"] = _figure
    text = environment.get_template("model_card.md.jinja").render(
        summary=summary,
        metrics=metric_rows(summary, titles),
        slices=slice_rows(summary),
        slice_metrics=[name for name in titles if any(name in of for of in _slices(summary))],
        titles=titles,
        count=COUNT,
        about=about(summary, pipeline),
    )
    write_whole(os.path.join(summary["pushed_model"], FILE), text)


def _slices(summary: dict[str, Any]) -> list[dict[str, Any]]:
    return list(summary["slices"].values())


def _figure(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 10 else f"{value:.4f}"
