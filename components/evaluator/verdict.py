"""The gate's verdict in words: each metric, its value, its bound, and why it was refused."""

import dataclasses
import math
from collections.abc import Iterable

import tensorflow_model_analysis as tfma

from components.evaluator.gates import Bound, Limits
from components.model_records.record import Record
from components.shared_counts import name_and_slice

# Metrics that count users: those whose list is too short to rank, and all.
_SHORT_LISTS, _EXAMPLES = "short_lists", "example_count"
# Of the users: beyond this share the metrics are of another population than the data.
_MANY_SHORT = 1 / 20

Metrics = dict[str, float | None]


@dataclasses.dataclass(frozen=True)
class Measured:
    """Metrics by name; one that is not a finite number is None.

    Attributes:
        overall: The candidate's over all examples.
        slices: The candidate's of each other slice, by "feature=value".
        baseline: Those of the model it is compared with, on the same examples; empty without one.
    """

    overall: Metrics
    slices: dict[str, Metrics]
    baseline: Metrics


def read_evaluation(uri: str) -> Measured:
    """Returns what an `evaluation` artifact holds."""
    candidate: dict[str, Metrics] = {}
    baseline: Metrics = {}
    for result in tfma.load_metrics(uri):
        sliced = ", ".join(
            f"{key.column}={_slice_value(key)}" for key in result.slice_key.single_slice_keys
        )
        for entry in result.metric_keys_and_values:
            number = entry.value.double_value.value
            value = number if math.isfinite(number) else None
            name, told = name_and_slice(entry.key.name)
            part = sliced or told
            if entry.key.is_diff:
                continue
            if entry.key.model_name == tfma.BASELINE_KEY:
                if not part:
                    baseline[name] = value
            else:
                candidate.setdefault(part, {})[name] = value
    return Measured(candidate.pop("", {}), candidate, baseline)


def judge(limits: Limits, overall: Metrics, baseline: Metrics) -> list[str]:
    """Returns a sentence for each bound that is not kept.

    Args:
        limits: The bounds, and how much worse a metric may be than before.
        overall: The candidate's metrics over all examples.
        baseline: Metrics of the model that it is compared with; empty without one.
    """
    found = (_reason(bound, overall, baseline, limits.max_regression) for bound in limits.bounds_on)
    return [reason for reason in found if reason]


def verdict_lines(record: Record, bounds: Iterable[Bound]) -> list[str]:
    """Returns the verdict for people: a line a bound, the notes, and why the model is refused.

    Args:
        record: Of the candidate.
        bounds: What it was judged by.
    """
    rows = []
    for bound in bounds:
        value = record["metrics"].get(bound.metric)
        shown = "not a number" if value is None else f"{value:.4f}"
        sign = ">=" if bound.higher_is_better else "<="
        kept = "kept" if bound.keeps(value) else "missed"
        limit = f"{sign} {bound.limit:g} ({bound.setting})"
        rows.append(f"  {bound.metric:<16} {shown}  {limit}  {kept}")
    return [*rows, *record["notes"], *(f"refused: {reason}" for reason in record["reasons"])]


def list_notes(overall: Metrics) -> list[str]:
    """Returns a line on the users who do not count, if there are any."""
    short, users = overall.get(_SHORT_LISTS) or 0, overall.get(_EXAMPLES) or 0
    if not short:
        return []
    warning = "warning: " if short > _MANY_SHORT * users else ""
    return [
        f"{warning}{short:.0f} of {users:.0f} users do not count: they have too few items left "
        "that they have not touched"
    ]


def _reason(bound: Bound, overall: Metrics, baseline: Metrics, max_regression: float) -> str | None:
    value, before = overall.get(bound.metric), baseline.get(bound.metric)
    if value is None:
        return f"{bound.metric} is not a number: {_cause_of_nan(overall)}"
    sign = 1 if bound.higher_is_better else -1
    if not bound.keeps(value):
        worse = "below" if bound.higher_is_better else "above"
        hint = (
            "; equal scores count against a model, so one that scores all candidates alike gets 0"
            if value == 0
            else ""
        )
        return f"{bound.metric} {value:.4f} is {worse} {bound.setting}={bound.limit:g}{hint}"
    if before is not None and sign * (before - value) > max_regression:
        return (
            f"{bound.metric} {value:.4f} is more than max_regression={max_regression:g} worse than "
            f"the {before:.4f} of the model in use"
        )
    return None


def _cause_of_nan(overall: Metrics) -> str:
    examples = overall.get(_EXAMPLES) or 0
    if not examples:
        return "there is nothing to evaluate on"
    if (overall.get(_SHORT_LISTS) or 0) >= examples:
        return "every user's list is too short to be ranked; bring more items"
    return "the model gave a score that is not finite"


def _slice_value(key: tfma.proto.metrics_for_slice_pb2.SingleSliceKey) -> str:
    kind = key.WhichOneof("kind")
    value = getattr(key, kind)
    return value.decode() if isinstance(value, bytes) else str(value)
