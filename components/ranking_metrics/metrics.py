"""TFMA metrics of ranks, over one Example per user.

`k` is part of a metric's name and not of its sub key: TFMA matches a threshold to a metric by both,
and a threshold has no sub key.
"""

import abc
import functools
import math
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.proto import config_pb2

from components.ranking_metrics import rank as ranking
from components.shared_counts import computations, label_score_weight, told_by_model

_Ranks = dict[float, float]  # sum of weights by rank

# For a rank where a list has fewer than k negatives, since every item is among its first k, and
# what a model tells of an item that it is not asked to rank.
_NOT_RANKED = 0.0


class _ListMetric(metric_types.Metric, abc.ABC):
    """A metric of lists with one held-out item each, over those with at least k negatives.

    Args:
        k: How many places count.
        name: The metric's name; by default that of the class with k.
        item_key: The feature with the candidates' ids, so that a negative that repeats the held-out
            item is left out; None trusts that there is none.
        rank_key: What the model's preprocessing signature returns as the rank; None takes it from
            the scores of the candidates. All users whose item the model ranked count in it.
    """

    default_name: ClassVar[str]

    def __init__(
        self,
        k: int = ranking.K,
        name: str | None = None,
        item_key: str | None = None,
        rank_key: str | None = None,
    ):
        super().__init__(
            metric_util.merge_per_key_computations(functools.partial(_computations, self.value)),
            name=name or self.default_name.format(k=k),
            k=k,
            item_key=item_key,
            rank_key=rank_key,
        )

    @staticmethod
    @abc.abstractmethod
    def value(ranks: _Ranks, k: int) -> float:
        """Returns the metric of lists with these ranks."""


class HitRate(_ListMetric):
    """HR@k: the share of users whose held-out item ranks within the first k candidates.

    NaN when the model gave any user a score that is not finite, which no bound lets pass, or when
    no user has a list of at least k negatives: shorter ones do not count.
    """

    default_name = "hit_rate_at_{k}"

    @staticmethod
    def value(ranks: _Ranks, k: int) -> float:
        """See _ListMetric."""
        return _mean(ranking.hit, ranks, k)


class LeaveOneOutNDCG(_ListMetric):
    """NDCG@k of the one held-out item: the mean over users of 1 / log2(rank + 1), 0 beyond k.

    Not named NDCG, since TFMA has a metric of that name, which would be taken instead.
    """

    default_name = "ndcg_at_{k}"

    @staticmethod
    def value(ranks: _Ranks, k: int) -> float:
        """See _ListMetric."""
        return _mean(ranking.ndcg, ranks, k)


class MeanReciprocalRank(_ListMetric):
    """The mean over users of 1 / rank of the held-out item, however far down it is."""

    default_name = "mrr"

    @staticmethod
    def value(ranks: _Ranks, k: int) -> float:
        """See _ListMetric."""
        return _mean(ranking.reciprocal_rank, ranks, k)


class ShortLists(_ListMetric):
    """How many users do not count in the metrics at k, since they have fewer than k negatives."""

    default_name = "short_lists"

    @staticmethod
    def value(ranks: _Ranks, k: int) -> float:
        """See _ListMetric."""
        del k
        return ranks.get(_NOT_RANKED, 0.0)


def _mean(gain: Callable[[float, int], float], ranks: _Ranks, k: int) -> float:
    """Returns the mean of what ranks gain, NaN if there is none."""
    weights = {rank: weight for rank, weight in ranks.items() if rank != _NOT_RANKED}
    gained = sum(weight * gain(rank, k) for rank, weight in weights.items())
    total = sum(weights.values())
    return gained / total if total else math.nan


def _computations(
    value: Callable[[_Ranks, int], float],
    name: str,
    k: int,
    item_key: str | None = None,
    rank_key: str | None = None,
    eval_config: config_pb2.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: metric_types.SubKey | None = None,
    aggregation_type: metric_types.AggregationType | None = None,
    class_weights: dict[int, float] | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    """Returns how a metric is computed; TFMA gives the arguments by name.

    `value` is of how many users have which rank. TFMA counts those once for all metrics of one k,
    since their key is the same.
    """
    features = metric_types.FeaturePreprocessor(feature_keys=[item_key]) if item_key else None
    if rank_key:
        features = told_by_model(rank_key, model_name=model_name)
    return computations(
        {name: lambda ranks: value(ranks, k)},
        f"_{rank_key}" if rank_key else f"_ranks_{item_key}_{k}",
        [features] if features else None,
        lambda ranks: _RankWeights(ranks, k, item_key, rank_key, eval_config),
        aggregation_type,
        class_weights,
        model_name=model_name,
        output_name=output_name,
        sub_key=sub_key,
        example_weighted=example_weighted,
    )


class _RankWeights(beam.CombineFn):
    """The weights of users by the rank of their held-out item."""

    def __init__(
        self,
        key: metric_types.MetricKey,
        k: int,
        item_key: str | None,
        rank_key: str | None,
        eval_config: config_pb2.EvalConfig | None,
    ):
        self._key = key
        self._k = k
        self._item_key = item_key
        self._rank_key = rank_key
        self._eval_config = eval_config

    def create_accumulator(self) -> _Ranks:
        return {}

    def add_input(self, accumulator: _Ranks, element: metric_types.StandardMetricInputs) -> _Ranks:
        rank = self._told(element) if self._rank_key else None
        if rank == _NOT_RANKED:
            # Where users are many most are not, and TFMA takes its time for scores and weights.
            return accumulator
        labels, scores, weight = label_score_weight(element, self._key, self._eval_config)
        if rank is None:
            rank = self._rank(element, labels, scores)
        accumulator[rank] = accumulator.get(rank, 0.0) + float(weight[0])
        return accumulator

    def _told(self, element: metric_types.StandardMetricInputs) -> float:
        told = element.get_transformed_features(self._key.model_name)
        return float(told[self._rank_key].reshape(-1)[0])

    def _rank(
        self, element: metric_types.StandardMetricInputs, labels: np.ndarray, scores: np.ndarray
    ) -> float:
        items = None
        if self._item_key:
            items = np.asarray(element.get_features()[self._item_key]).reshape(-1)
        if ranking.count_negatives(labels, items) < self._k:
            return _NOT_RANKED
        return ranking.rank_of_held_out(labels, scores, items)

    def merge_accumulators(self, accumulators: Iterable[_Ranks]) -> _Ranks:
        merged: _Ranks = {}
        for accumulator in accumulators:
            for rank, weight in accumulator.items():
                merged[rank] = merged.get(rank, 0.0) + weight
        return merged

    def extract_output(self, accumulator: _Ranks) -> dict[metric_types.MetricKey, Any]:
        return {self._key: accumulator}
