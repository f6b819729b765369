"""The table of a run, as rows of results.json and as Markdown."""

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from benchmarks.tasks import Task
from benchmarks.timing import Timing
from transforms.base.errors import UserError

MODEL_TABLES = {
    "models": (
        *("model", "HR@10", "NDCG@10", "HR@10 of all items", "NDCG@10 of all items"),
        *("coverage", "popularity", "diversity"),
    ),
    "rating_models": ("model", "RMSE, split at random", "RMSE, split by time"),
}
"""Headings of the tables of what models measure, by the section that makes it."""

_HEADINGS = ("what", "data", "seconds", "fastest to slowest", "a second", "peak MiB", "2018 / this")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        section: The section it is of.
        what: What was done.
        size: On which data set.
        seconds: The median; of all of the work, where only a share was done.
        fastest: Of the repetitions, in seconds.
        slowest: Of the repetitions, in seconds.
        runs: How many repetitions there were.
        share: The part of the work that was done.
        count: Of what the work handles in all; None for a part.
        unit: What they are.
        peak_mib: Peak resident memory; None for a part.
        against: The row to compare with.
        figures: What it measures, if it is a model.
    """

    section: str
    what: str
    size: str
    seconds: float
    fastest: float
    slowest: float
    runs: int
    share: float
    count: int | None
    unit: str
    peak_mib: float | None
    against: str
    figures: dict[str, float] = field(default_factory=dict)


def make_rows(section: str, size: str, task: Task, timing: Timing, peak_mib: float) -> list[Row]:
    """Returns a row for the workload, and one for each of its parts."""

    def row(what: str, seconds: list[float], **more: Any) -> Row:
        whole = [value / timing.share for value in seconds]
        return Row(
            section=section,
            what=what,
            size=size,
            seconds=statistics.median(whole),
            fastest=min(whole),
            slowest=max(whole),
            runs=len(whole),
            share=timing.share,
            unit=task.unit,
            **more,
        )

    parts = [
        row(task.part_names.get(name, f"- {name}"), [value], count=None, peak_mib=None, against="")
        for name, value in timing.parts.items()
    ]
    count = round(timing.count / timing.share)
    whole = row(task.what, timing.seconds, count=count, peak_mib=peak_mib, against=task.against)
    whole = replace(whole, figures=timing.figures)
    return [whole, *parts]


def as_results(rows: list[Row], machine: dict[str, Any]) -> dict[str, Any]:
    """Returns what results.json holds: the machine, and the rows with rate and ratio."""
    measured = {(row.what, row.size): row for row in rows}
    return {
        "machine": machine,
        "rows": [
            asdict(row)
            | {
                "per_second": row.count / row.seconds if row.count else None,
                "times_faster_than_2018": (
                    measured[row.against, row.size].seconds / row.seconds
                    if (row.against, row.size) in measured
                    else None
                ),
            }
            for row in rows
        ],
    }


def render(results: dict[str, Any]) -> str:
    """Returns the machine and the table, as Markdown."""
    lines = [f"Machine: {_facts(results['machine'])}.", ""]
    lines += [_line(_HEADINGS), _line(["---"] * len(_HEADINGS))]
    lines += [_line(_cells(row)) for row in results["rows"] if not row["figures"]]
    return "\n".join(lines)


def render_models(results: dict[str, Any], section: str) -> str:
    """Returns what each model of a section measures, as Markdown; "" without a model."""
    rows = [row for row in results["rows"] if row["section"] == section]
    if not rows:
        return ""
    headings = MODEL_TABLES[section]
    lines = [_line(headings), _line(["---"] * len(headings))]
    for row in rows:
        shown = (f"{value:.4f}" for value in row["figures"].values())
        lines.append(_line([row["what"], *shown]))
    return "\n".join(lines)


def insert_table(text: str, table: str, name: str, place: str) -> str:
    """Returns `text` with what stands between the two marks of a name replaced by `table`.

    Raises:
        UserError: The marks are not there; the message names `place`.
    """
    begin, end = (f"<!-- make bench: {name}: {side} -->" for side in ("begin", "end"))
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise UserError(
            f"{place}: put {begin} and {end} on lines of their own, where the table goes"
        )
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def _facts(facts: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} ({_facts(value)})" if isinstance(value, dict) else f"{name} {value}"
        for name, value in facts.items()
    )


def _cells(row: dict[str, Any]) -> Iterator[str]:
    share = f" ({row['share']:.0%} measured)" if row["share"] < 1 else ""
    yield row["what"] + share
    yield row["size"]
    yield _number(row["seconds"])
    yield f"{_number(row['fastest'])} to {_number(row['slowest'])}" if row["runs"] > 1 else ""
    yield f"{row['per_second']:,.0f} {row['unit']}" if row["per_second"] else ""
    yield f"{row['peak_mib']:,.0f}" if row["peak_mib"] else ""
    ratio = row["times_faster_than_2018"]
    yield _number(ratio) if ratio else ""


def _number(value: float) -> str:
    """Returns three digits, or all those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
