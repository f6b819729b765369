"""Writes the card of a pushed model: a page of Markdown beside it."""

import json
import os

from pipeline.pipelines.registry import definition
from pipeline.run.history import write_whole
from pipeline.run.report.about import about
from pipeline.run.report.environment import environment, rounded
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
    slices = slice_rows(summary)
    # Markdown, of what the run itself has written.
    card = environment(rounded, autoescape=False, keep_trailing_newline=True)
    text = card.get_template("model_card.md.jinja").render(
        summary=summary,
        metrics=metric_rows(summary, titles),
        slices=slices,
        slice_metrics=[name for name in titles if any(name in of for _, of in slices)],
        titles=titles,
        count=COUNT,
        about=about(summary, pipeline),
    )
    write_whole(os.path.join(summary["pushed_model"], FILE), text)
