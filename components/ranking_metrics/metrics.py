"""TFMA metrics over one Example per user: HitRate and LeaveOneOutNDCG.

`k` is part of a metric's name and not of its sub key: TFMA matches a threshold to a metric by both,
and a threshold has no sub key.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.ranking_metrics import rank as ranking

__all__ = ["HitRate", "LeaveOneOutNDCG"]

_Accumulator = tuple[float, float]  # weighted sum of gains, sum of weights


class HitRate(metric_types.Metric):
    """HR@k: the share of users whose held-out item ranks within the first k candidates.

    NaN when the model gave any user a score that is not finite, which no bound lets pass.

    Args:
        k: How many places count as a hit.
        name: The metric's name; `hit_rate_at_<k>` by default.
        item_key: The feature with the candidates' ids, so that a negative that repeats the held-out
            item is left out; None trusts that there is none.
    """

    def __init__(self, k: int = 10, name: str | None = None, item_key: str | None = None):
        super().__init__(
            metric_util.merge_per_key_computations(functools.partial(_computations, ranking.hit)),
            name=name or f"hit_rate_at_{k}",
            k=k,
            item_key=item_key,
        )


class LeaveOneOutNDCG(metric_types.Metric):
    """NDCG@k of the one held-out item: the mean over users of 1 / log2(rank + 1), 0 beyond k.

    Not named NDCG, since TFMA has a metric of that name, which would be taken instead.

    Args:
        k: How many places count.
        name: The metric's name; `ndcg_at_<k>` by default.
        item_key: As for `HitRate`.
    """

    def __init__(self, k: int = 10, name: str | None = None, item_key: str | None = None):
        super().__init__(
            metric_util.merge_per_key_computations(functools.partial(_computations, ranking.ndcg)),
            name=name or f"ndcg_at_{k}",
            k=k,
            item_key=item_key,
        )


metric_types.register_metric(HitRate)
metric_types.register_metric(LeaveOneOutNDCG)


def _computations(
    gain: Callable[[float, int], float],
    name: str,
    k: int,
    item_key: str | None = None,
    eval_config: tfma.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: metric_types.SubKey | None = None,
    aggregation_type: metric_types.AggregationType | None = None,
    class_weights: dict[int, float] | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    """Returns the one computation of a metric; TFMA gives the arguments by name."""
    if aggregation_type or class_weights:
        raise ValueError(f"{name} has no classes to aggregate or to weight")
    key = metric_types.MetricKey(
        name=name,
        model_name=model_name,
        output_name=output_name,
        sub_key=sub_key,
        example_weighted=example_weighted,
    )
    return [
        metric_types.MetricComputation(
            keys=[key],
            preprocessors=(
                [metric_types.FeaturePreprocessor(feature_keys=[item_key])] if item_key else None
            ),
            combiner=_MeanGain(key, gain, k, item_key, eval_config),
        )
    ]


class _MeanGain(beam.CombineFn):
    """The weighted mean over users of a gain that follows from the held-out item's rank."""

    def __init__(
        self,
        key: metric_types.MetricKey,
        gain: Callable[[float, int], float],
        k: int,
        item_key: str | None,
        eval_config: tfma.EvalConfig | None,
    ):
        self._key = key
        self._gain = gain
        self._k = k
        self._item_key = item_key
        self._eval_config = eval_config

    def create_accumulator(self) -> _Accumulator:
        return 0.0, 0.0

    def add_input(
        self, accumulator: _Accumulator, element: metric_types.StandardMetricInputs
    ) -> _Accumulator:
        labels, scores, weight = next(
            metric_util.to_label_prediction_example_weight(
                element,
                eval_config=self._eval_config,
                model_name=self._key.model_name,
                output_name=self._key.output_name,
                example_weighted=self._key.example_weighted,
                flatten=False,
                require_single_example_weight=True,
            )
        )
        items = None
        if self._item_key:
            items = np.asarray(element.get_features()[self._item_key]).reshape(-1)
        rank = ranking.rank_of_held_out(labels.reshape(-1), scores.reshape(-1), items)
        total, weights = accumulator
        weight = float(np.asarray(weight).reshape(-1)[0])
        return total + weight * self._gain(rank, self._k), weights + weight

    def merge_accumulators(self, accumulators: Iterable[_Accumulator]) -> _Accumulator:
        totals, weights = zip(*accumulators, strict=True)
        return sum(totals), sum(weights)

    def extract_output(self, accumulator: _Accumulator) -> dict[metric_types.MetricKey, Any]:
        total, weights = accumulator
        return {self._key: total / weights if weights else float("nan")}
