"""TFMA metrics over one Example per user: HitRate, LeaveOneOutNDCG and ShortLists.

`k` is part of a metric's name and not of its sub key: TFMA matches a threshold to a metric by both,
and a threshold has no sub key.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.proto import config_pb2

from components.ranking_metrics import rank as ranking

__all__ = ["HitRate", "LeaveOneOutNDCG", "ShortLists"]

_Accumulator = dict[float, float]  # sum of weights by rank

# For a rank where a list has fewer than k negatives: every item is among its first k.
_NOT_RANKED = 0.0


class HitRate(metric_types.Metric):
    """HR@k: the share of users whose held-out item ranks within the first k candidates.

    NaN when the model gave any user a score that is not finite, which no bound lets pass, or when
    no user has a list of at least k negatives: shorter ones do not count.

    Args:
        k: How many places count as a hit.
        name: The metric's name; `hit_rate_at_<k>` by default.
        item_key: The feature with the candidates' ids, so that a negative that repeats the held-out
            item is left out; None trusts that there is none.
    """

    def __init__(self, k: int = ranking.K, name: str | None = None, item_key: str | None = None):
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

    def __init__(self, k: int = ranking.K, name: str | None = None, item_key: str | None = None):
        super().__init__(
            metric_util.merge_per_key_computations(functools.partial(_computations, ranking.ndcg)),
            name=name or f"ndcg_at_{k}",
            k=k,
            item_key=item_key,
        )


class ShortLists(metric_types.Metric):
    """How many users do not count in the metrics at k, since they have fewer than k negatives.

    Args:
        k: As for `HitRate`.
        name: The metric's name.
        item_key: As for `HitRate`.
    """

    def __init__(self, k: int = ranking.K, name: str = "short_lists", item_key: str | None = None):
        super().__init__(
            metric_util.merge_per_key_computations(functools.partial(_computations, None)),
            name=name,
            k=k,
            item_key=item_key,
        )


for _metric in (HitRate, LeaveOneOutNDCG, ShortLists):
    metric_types.register_metric(_metric)


def _computations(
    gain: Callable[[float, int], float] | None,
    name: str,
    k: int,
    item_key: str | None = None,
    eval_config: config_pb2.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: metric_types.SubKey | None = None,
    aggregation_type: metric_types.AggregationType | None = None,
    class_weights: dict[int, float] | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    """Returns how a metric is computed; TFMA gives the arguments by name.

    The mean over users of a gain that follows from a rank is derived from how many users have which
    rank, and without a gain how many have none. TFMA counts those once for all metrics of one k,
    since their key is the same.
    """
    if aggregation_type or class_weights:
        raise ValueError(f"{name} has no classes to aggregate or to weight")
    key = functools.partial(
        metric_types.MetricKey,
        model_name=model_name,
        output_name=output_name,
        sub_key=sub_key,
        example_weighted=example_weighted,
    )
    # A leading underscore keeps it out of the results.
    ranks, metric = key(name=f"_ranks_{item_key}_{k}"), key(name=name)

    def mean_gain(
        results: dict[metric_types.MetricKey, Any],
    ) -> dict[metric_types.MetricKey, Any]:
        weights = dict(results[ranks])
        short = weights.pop(_NOT_RANKED, 0.0)
        if gain is None:
            return {metric: short}
        total = sum(weights.values())
        gained = sum(weight * gain(rank, k) for rank, weight in weights.items())
        return {metric: gained / total if total else float("nan")}

    return [
        metric_types.MetricComputation(
            keys=[ranks],
            preprocessors=(
                [metric_types.FeaturePreprocessor(feature_keys=[item_key])] if item_key else None
            ),
            combiner=_RankWeights(ranks, k, item_key, eval_config),
        ),
        metric_types.DerivedMetricComputation(keys=[metric], result=mean_gain),
    ]


class _RankWeights(beam.CombineFn):
    """The weights of users by the rank of their held-out item."""

    def __init__(
        self,
        key: metric_types.MetricKey,
        k: int,
        item_key: str | None,
        eval_config: config_pb2.EvalConfig | None,
    ):
        self._key = key
        self._k = k
        self._item_key = item_key
        self._eval_config = eval_config

    def create_accumulator(self) -> _Accumulator:
        return {}

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
        labels = labels.reshape(-1)
        items = None
        if self._item_key:
            items = np.asarray(element.get_features()[self._item_key]).reshape(-1)
        rank = _NOT_RANKED
        if ranking.count_negatives(labels, items) >= self._k:
            rank = ranking.rank_of_held_out(labels, scores.reshape(-1), items)
        weight = float(np.asarray(weight).reshape(-1)[0])
        accumulator[rank] = accumulator.get(rank, 0.0) + weight
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Accumulator]) -> _Accumulator:
        merged: _Accumulator = {}
        for accumulator in accumulators:
            for rank, weight in accumulator.items():
                merged[rank] = merged.get(rank, 0.0) + weight
        return merged

    def extract_output(self, accumulator: _Accumulator) -> dict[metric_types.MetricKey, Any]:
        return {self._key: accumulator}
