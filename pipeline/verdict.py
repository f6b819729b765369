"""The gate's verdict in words: each metric, its value, its bound, and why it was refused."""

import dataclasses
import math

import tensorflow_model_analysis as tfma

from pipeline.configs import PipelineConfig
from pipeline.gates import Bound

__all__ = ["Verdict", "judge"]

_Metrics = dict[str, float]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the Evaluator measured and decided.

    Attributes:
        blessed: Whether the model may be pushed.
        metrics: The candidate's metrics over all examples.
        slices: The candidate's metrics of each other slice, by "feature=value".
        baseline: Metrics of the latest blessed model on the same examples; empty without one.
        reasons: One sentence for each bound that is not kept.
        rows: One line a bound: metric, value, bound, kept or not.
    """

    blessed: bool
    metrics: _Metrics
    slices: dict[str, _Metrics]
    baseline: _Metrics
    reasons: list[str]
    rows: list[str]


def judge(config: PipelineConfig, evaluation_uri: str, blessed: bool) -> Verdict:
    """Returns the verdict on an evaluation.

    Args:
        config: The pipeline's settings, for its gate.
        evaluation_uri: The Evaluator's `evaluation` artifact.
        blessed: The Evaluator's decision, from its `blessing` artifact.
    """
    candidate: dict[str, _Metrics] = {}
    baseline: _Metrics = {}
    for result in tfma.load_metrics(evaluation_uri):
        name = ", ".join(
            f"{key.column}={_slice_value(key)}" for key in result.slice_key.single_slice_keys
        )
        if name.endswith("="):
            continue  # Padding of a feature that has several values.
        for entry in result.metric_keys_and_values:
            if entry.key.is_diff:
                continue
            if entry.key.model_name == tfma.BASELINE_KEY:
                if not name:
                    baseline[entry.key.name] = entry.value.double_value.value
            else:
                candidate.setdefault(name, {})[entry.key.name] = entry.value.double_value.value
    overall = candidate.pop("", {})
    reasons, rows = [], []
    for bound in config.gate.bounds():
        value = overall.get(bound.metric, math.nan)
        reason = _reason(bound, value, baseline.get(bound.metric), config.gate.max_regression)
        sign = ">=" if bound.higher_is_better else "<="
        rows.append(
            f"{bound.metric:<16} {value:.4f}  {sign} {bound.limit:g} ({bound.setting})  "
            f"{'refused' if reason else 'kept'}"
        )
        if reason:
            reasons.append(reason)
    if not blessed and not reasons:
        reasons.append(f"the Evaluator did not bless the model; see {evaluation_uri}")
    return Verdict(blessed, overall, candidate, baseline, reasons, rows)


def _reason(
    bound: Bound, value: float, baseline: float | None, max_regression: float
) -> str | None:
    if math.isnan(value):
        return f"{bound.metric} is not a number: the model gave a score that is not finite"
    worse = "below" if bound.higher_is_better else "above"
    sign = 1 if bound.higher_is_better else -1
    if sign * value < sign * bound.limit:
        hint = (
            "; equal scores count against a model, so one that scores all candidates alike gets 0"
            if value == 0
            else ""
        )
        return f"{bound.metric} {value:.4f} is {worse} {bound.setting}={bound.limit:g}{hint}"
    if baseline is not None and sign * (baseline - value) > max_regression:
        return (
            f"{bound.metric} {value:.4f} is more than max_regression={max_regression:g} worse than "
            f"the latest blessed model's {baseline:.4f}"
        )
    return None


def _slice_value(key: tfma.proto.metrics_for_slice_pb2.SingleSliceKey) -> str:
    kind = key.WhichOneof("kind")
    value = getattr(key, kind)
    return value.decode() if isinstance(value, bytes) else str(value)
