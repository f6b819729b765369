"""TFMA metrics of what is recommended, whether it is right or not, over one Example per user.

They read what the signature `full_ranking.SIGNATURE` returns: each user's best items of all.
"""

import abc
import functools
import math
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.proto import config_pb2

from components.ranking_metrics import full_ranking
from components.ranking_metrics.rank import K
from components.shared_counts import computations, told_by_model


class _Counts(NamedTuple):
    """What users have had and are recommended.

    Attributes:
        users: How many there are.
        histories: By item, in how many users' histories it is, int64 [items].
        lists: By item, in how many users' first k it is, int64 [items].
    """

    users: int
    histories: np.ndarray
    lists: np.ndarray


class _CatalogueMetric(metric_types.Metric, abc.ABC):
    """A metric of each user's first k of all items that are not in the history.

    Args:
        k: How many items a user is recommended, at most `full_ranking.LONGEST`.
        name: The metric's name; by default that of the class.
    """

    default_name: ClassVar[str]

    def __init__(self, k: int = K, name: str | None = None):
        super().__init__(
            metric_util.merge_per_key_computations(functools.partial(_computations, self.value)),
            name=name or self.default_name,
            k=k,
        )

    @staticmethod
    @abc.abstractmethod
    def value(counts: _Counts, k: int) -> float:
        """Returns the metric; NaN if there is no user."""


class Coverage(_CatalogueMetric):
    """The share of all items that are recommended to anybody."""

    default_name = "coverage"

    @staticmethod
    def value(counts: _Counts, k: int) -> float:
        """See _CatalogueMetric."""
        del k
        return float(np.mean(counts.lists > 0)) if counts.users else math.nan


class Popularity(_CatalogueMetric):
    """The mean over recommended items of the share of users who have the item in their history."""

    default_name = "popularity"

    @staticmethod
    def value(counts: _Counts, k: int) -> float:
        """See _CatalogueMetric."""
        del k
        recommended = counts.lists.sum()
        if not recommended:
            return math.nan
        return float(counts.lists @ counts.histories / recommended / counts.users)


class Diversity(_CatalogueMetric):
    """The mean over pairs of users of the share of one's first k that the other's do not have.

    Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS
    2010. 0 is the same for everybody. An item in n lists is in common to n (n - 1) / 2 pairs.
    """

    default_name = "diversity"

    @staticmethod
    def value(counts: _Counts, k: int) -> float:
        """See _CatalogueMetric; NaN for a single user."""
        if counts.users < 2:
            return math.nan
        common = float(counts.lists @ (counts.lists - 1)) / (counts.users * (counts.users - 1))
        return 1 - common / k


def _computations(
    value: Callable[[_Counts, int], float],
    name: str,
    k: int,
    eval_config: config_pb2.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: metric_types.SubKey | None = None,
    aggregation_type: metric_types.AggregationType | None = None,
    class_weights: dict[int, float] | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    """Returns how a metric is computed; TFMA gives the arguments by name.

    TFMA counts once for all metrics of one k, since their key is the same. Weights of Examples do
    not count: what is recommended to whom is no mean.
    """
    del eval_config
    told = (full_ranking.TOP, full_ranking.HISTORY, full_ranking.ITEMS)
    return computations(
        {name: lambda counts: value(counts, k)},
        f"_catalogue_{k}",
        [told_by_model(*told, model_name=model_name)],
        lambda counts: _CountItems(counts, k),
        aggregation_type,
        class_weights,
        model_name=model_name,
        output_name=output_name,
        sub_key=sub_key,
        example_weighted=example_weighted,
    )


class _CountItems(beam.CombineFn):
    """In how many histories and lists each item is."""

    def __init__(self, key: metric_types.MetricKey, k: int):
        self._key = key
        self._k = k

    def create_accumulator(self) -> _Counts:
        return _Counts(0, np.zeros(0, np.int64), np.zeros(0, np.int64))

    def add_input(
        self, accumulator: _Counts, element: metric_types.StandardMetricInputs
    ) -> _Counts:
        told = element.get_transformed_features(self._key.model_name)
        if told[full_ranking.TOP].reshape(-1)[0] < 0:
            # Nothing is recommended to whom the model is not asked to rank for.
            return accumulator
        users, *counts = accumulator
        if not users:
            items = int(told[full_ranking.ITEMS].reshape(-1)[0])
            counts = [np.zeros(items, np.int64) for _ in counts]
        rows = (
            told[full_ranking.HISTORY].reshape(-1),
            told[full_ranking.TOP].reshape(-1)[: self._k],
        )
        for counted, some in zip(counts, rows, strict=True):
            # An item is in neither of them twice.
            counted[some[some >= 0]] += 1
        return _Counts(users + 1, *counts)

    def merge_accumulators(self, accumulators: Iterable[_Counts]) -> _Counts:
        some = [accumulator for accumulator in accumulators if accumulator.users]
        if not some:
            return self.create_accumulator()
        users, histories, lists = zip(*some, strict=True)
        return _Counts(sum(users), np.sum(histories, axis=0), np.sum(lists, axis=0))

    def extract_output(self, accumulator: _Counts) -> dict[metric_types.MetricKey, Any]:
        return {self._key: accumulator}
