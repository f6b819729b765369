"""Writes the report of a run: verdict, metrics, training, data, time, lineage.

A run that was stopped has a part of these; what it has nothing to show in is left out.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from pipeline.config import preset
from pipeline.pipelines.definition import PipelineDefinition, named
from pipeline.pipelines.registry import definition
from pipeline.run.history import past_runs, write_whole
from pipeline.run.report.about import about
from pipeline.run.report.charts import bars, dots, lines
from pipeline.run.report.distributions import (
    Distribution,
    feature_distributions,
    interaction_distributions,
    read_anomalies,
)
from pipeline.run.report.environment import environment, rounded
from pipeline.run.report.measured import COUNT, MetricRow, metric_rows, metric_titles, slice_rows

# By the names of ExitCode.
_VERDICTS = {
    "pushed": "Blessed and pushed",
    "measured": "Measured, not on the held-out examples: nothing was pushed",
    "refused_by_model_gate": "Refused by the model gate: nothing was pushed",
    "refused_by_data_gate": "Refused by the data gate: nothing was trained",
    "user_mistake": "Stopped by a mistake in a setting or the input: nothing was pushed",
    "fault": "Stopped by a fault: nothing was pushed",
}


class Chart(NamedTuple):
    """A chart with the table that says the same.

    Attributes:
        title: What it shows.
        svg: The drawing.
        columns: Titles of the table's columns.
        rows: Its rows: a text, then numbers.
    """

    title: str
    svg: Markup
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def write_report(summary_file: str, path: str) -> None:
    """Writes the report of a run to one HTML file, whole or not at all.

    It needs nothing but itself: no script, style sheet, font or picture from elsewhere.

    Args:
        summary_file: The run's summary; the artifacts that its lineage names are read too.
        path: Where to write.
    """
    with open(summary_file, encoding="utf-8") as file:
        summary = json.load(file)
    pipeline = definition(summary["pipeline"])
    titles = {"loss": "Loss", **metric_titles(summary, pipeline)}
    metrics = metric_rows(summary, titles)
    anomalies = summary["lineage"].get("anomalies")
    runs = past_runs(os.path.dirname(summary_file))
    page = environment(_figure, autoescape=True).get_template("report.html.jinja")
    text = page.render(
        summary=summary,
        metrics=metrics,
        metric_charts=_metric_charts(metrics),
        slices=slice_rows(summary),
        slice_metrics=[name for name in summary.get("metrics", ()) if name != COUNT],
        slice_charts=_slice_charts(summary, titles),
        training_charts=_training_charts(summary, titles),
        data_charts=_data_charts(summary, pipeline),
        anomalies=None if anomalies is None else read_anomalies(anomalies),
        tuning_rows=_tuning_rows(summary),
        time_chart=_time_chart(summary),
        baseline_run=_run_of_baseline(summary, runs),
        trend_charts=_trend_charts(summary, runs, titles),
        titles=titles,
        verdict=_VERDICTS[summary["outcome"]],
        about=about(summary, pipeline),
    )
    write_whole(path, text)


def _figure(value: Any) -> Markup | str:
    """Returns a number rounded for people, and exact for machines."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return rounded(value)
    return Markup('<data value="{}">{}</data>').format(repr(value), rounded(value))


def _metric_charts(metrics: Sequence[MetricRow]) -> list[Chart]:
    charts: list[Chart] = []
    for i, row in enumerate(metrics):
        values = {"this run": row.value, "model in use": row.baseline}
        known = {label: value for label, value in values.items() if value is not None}
        if row.limit is None or not known:
            continue
        svg = dots(f"metric{i}", list(known), list(known.values()), {"bound": row.limit})
        rows = [*known.items(), ("bound", row.limit)]
        charts.append(Chart(f"{row.title} against its bound", svg, ("", row.title), rows))
    return charts


def _slice_charts(summary: Mapping[str, Any], titles: Mapping[str, str]) -> list[Chart]:
    slices = slice_rows(summary)
    charts: list[Chart] = []
    for name, overall in summary.get("metrics", {}).items():
        rows = [(label, of[name]) for label, of in slices if of.get(name) is not None]
        if name == COUNT or not rows:
            continue
        references = {} if overall is None else {"all examples": overall}
        labels, values = zip(*rows, strict=True)
        svg = dots(f"slice{len(charts)}", labels, values, references)
        charts.append(Chart(f"{titles[name]} by slice", svg, ("Slice", titles[name]), rows))
    return charts


def _training_charts(summary: Mapping[str, Any], titles: Mapping[str, str]) -> list[Chart]:
    charts: list[Chart] = []
    history = summary.get("epochs", ())
    for name in [name for name in titles if any(name in epoch for epoch in history)]:
        points = [(epoch["epoch"], epoch[name]) for epoch in history if name in epoch]
        epochs, values = zip(*points, strict=True)
        svg = lines(f"training{len(charts)}", epochs, values, "epoch")
        charts.append(Chart(f"{titles[name]} by epoch", svg, ("Epoch", titles[name]), points))
    return charts


def _tuning_rows(summary: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Returns of each trial its number, what it scored and its settings."""
    trials = summary.get("tuning", {}).get("trials", ())
    return [(trial["trial"], trial["score"], *trial["settings"].values()) for trial in trials]


def _data_charts(summary: Mapping[str, Any], pipeline: PipelineDefinition) -> list[Chart]:
    lineage = summary["lineage"]
    # Other slices are by features, which are in the statistics.
    told = pipeline.told_slices
    found = [shares for name in told for shares in _slice_shares(summary, name, told[name])]
    if "statistics" in lineage:
        found += feature_distributions(lineage["statistics"], pipeline.label)
    if "examples" in lineage and pipeline.interactions:
        read_interactions = named(f"{pipeline.interactions}.read_interactions")
        found += interaction_distributions(read_interactions(lineage["examples"]))
    return [_share_chart(f"data{i}", distribution) for i, distribution in enumerate(found)]


def _slice_shares(summary: Mapping[str, Any], feature: str, title: str) -> list[Distribution]:
    shares = {
        label.removeprefix(f"{feature}="): of[COUNT] / summary["metrics"][COUNT]
        for label, of in slice_rows(summary)
        if label.startswith(f"{feature}=")
    }
    return [Distribution(title, list(shares), {"eval": list(shares.values())})] if shares else []


def _share_chart(name: str, distribution: Distribution) -> Chart:
    percent = {of: [100 * x for x in shares] for of, shares in distribution.shares.items()}
    unit = f"% of {next(iter(percent))}" if len(percent) == 1 else "%"
    rows = [
        (label, *(f"{value:.1f} %" for value in values))
        for label, *values in zip(distribution.labels, *percent.values(), strict=True)
    ]
    svg = bars(name, distribution.labels, percent, unit)
    title = distribution.name.replace("_", " ")
    return Chart(title[0].upper() + title[1:], svg, ("", *percent), rows)


def _time_chart(summary: Mapping[str, Any]) -> Chart:
    notes = dict.fromkeys(summary["cached"], " (cached)")
    if summary.get("stopped_in"):
        notes[summary["stopped_in"]] = " (stopped)"
    rows = [
        (component + notes.get(component, ""), seconds)
        for component, seconds in summary["seconds"].items()
    ]
    labels, values = zip(*rows, strict=True)
    svg = bars("time", labels, {"seconds": values}, "seconds")
    return Chart("Seconds by component", svg, ("Component", "Seconds"), rows)


def _trend_charts(
    summary: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], titles: Mapping[str, str]
) -> list[Chart]:
    """Returns what the models that were pushed for this data set measured, the oldest first."""
    pushed = {
        run["pushed_model"]: run.get("metrics", {})
        for run in runs
        if run.get("pushed_model") and run["data"]["dataset"] == summary["data"]["dataset"]
    }
    charts: list[Chart] = []
    for bound in preset(summary["pipeline"]).gate.limits().bounds_on:
        rows = [
            (os.path.basename(model), metrics[bound.metric])
            for model, metrics in pushed.items()
            if metrics.get(bound.metric) is not None
        ]
        if len(rows) > 1:
            title = titles[bound.metric]
            values = [value for _, value in rows]
            svg = lines(f"trend{len(charts)}", range(1, len(rows) + 1), values, "pushed model")
            charts.append(Chart(f"{title} by model", svg, ("Model", title), rows))
    return charts


def _run_of_baseline(
    summary: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Returns the record of the run that pushed the model that this one was compared with."""
    baseline = summary["lineage"].get("baseline_model")
    pushed = (run for run in runs if run.get("pushed_model") == baseline)
    return next(pushed, None) if baseline else None
