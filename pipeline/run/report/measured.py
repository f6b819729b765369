"""What a run measured, as rows for people: over all examples and by slice."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.config import preset
from pipeline.pipelines.definition import PipelineDefinition

COUNT = "example_count"
"""The metric that counts what was measured on."""


class MetricRow(NamedTuple):
    """A metric over all examples, beside its bound and the model in use.

    Attributes:
        title: The metric, for people.
        value: What the run measured; None when it was not finite.
        sign: What the bound demands, ">=" or "<="; "" without a bound.
        limit: The bound.
        kept: Whether the value keeps the bound.
        baseline: The value of the model in use on the same examples; None without one.
    """

    title: str
    value: float | None
    sign: str
    limit: float | None
    kept: bool
    baseline: float | None

    @property
    def change(self) -> float | None:
        """The value less the baseline's."""
        if self.value is None or self.baseline is None:
            return None
        return self.value - self.baseline


def metric_titles(summary: Mapping[str, Any], pipeline: PipelineDefinition) -> dict[str, str]:
    """Returns what people call the metrics, by name, with the settings of the run in them."""
    settings = {
        **dataclasses.asdict(preset(summary["pipeline"]).gate),
        **summary.get("settings", {}).get("gate", {}),
    }
    return {metric.name: metric.title.format(**settings) for metric in pipeline.metrics}


def metric_rows(summary: Mapping[str, Any], titles: Mapping[str, str]) -> list[MetricRow]:
    """Returns the metrics that `titles` name, in that order."""
    bounds = {bound.metric: bound for bound in preset(summary["pipeline"]).gate.limits().bounds}
    rows = []
    measured = summary.get("metrics", {})
    for name, value in ((name, measured[name]) for name in titles if name in measured):
        sign, limit, kept = "", None, True
        if name in bounds and (limit := summary["bounds"].get(bounds[name].setting)):
            bound = dataclasses.replace(bounds[name], limit=limit)
            sign, kept = "≥" if bound.higher_is_better else "≤", bound.keeps(value)
        baseline = summary["baseline"].get(name)
        rows.append(MetricRow(titles[name], value, sign, limit, kept, baseline))
    return rows


def slice_rows(summary: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Returns the slices, those of most examples first within a feature."""
    return sorted(
        summary.get("slices", {}).items(),
        key=lambda row: (row[0].partition("=")[0], -(row[1].get(COUNT) or 0)),
    )
