"""TFMA metrics of ratings, over one Example per user, overall and by genre.

TFMA's own slices would make of each Example as many as it has genres.
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

from components.shared_counts import computations, label_score_weight, name_in_slice
from transforms.vectorize_genres import GENRES

_GENRES = "genres"
_SLICES = ("", *(f"genre={genre}" for genre in GENRES))

_Errors = np.ndarray
"""Of all ratings, then of those of each genre: how many there are, the sum of their squared errors
and that of their absolute ones, float64 [1 + genres, 3]."""


class _RatingMetric(metric_types.Metric, abc.ABC):
    """A metric of the errors of predicted ratings; that of genre g is named `<name>@genre=<g>`.

    NaN where the model gave a prediction that is not finite, which no bound lets pass, and where
    there is no rating. A genre without a rating has no metric.

    Args:
        name: The metric's name; by default that of the class.
    """

    default_name: ClassVar[str]

    def __init__(self, name: str | None = None):
        super().__init__(
            metric_util.merge_per_key_computations(functools.partial(_computations, self.value)),
            name=name or self.default_name,
        )

    @staticmethod
    @abc.abstractmethod
    def value(count: float, squared: float, absolute: float) -> float:
        """Returns the metric of a number of ratings and their summed errors."""


class ListRMSE(_RatingMetric):
    """The root mean squared error."""

    default_name = "rmse"

    @staticmethod
    def value(count: float, squared: float, absolute: float) -> float:
        """See _RatingMetric."""
        return math.sqrt(squared / count) if count else math.nan


class ListMAE(_RatingMetric):
    """The mean absolute error."""

    default_name = "mae"

    @staticmethod
    def value(count: float, squared: float, absolute: float) -> float:
        """See _RatingMetric."""
        return absolute / count if count else math.nan


class RatingCount(_RatingMetric):
    """How many ratings there are."""

    default_name = "example_count"

    @staticmethod
    def value(count: float, squared: float, absolute: float) -> float:
        """See _RatingMetric."""
        return count


def _computations(
    value: Callable[[float, float, float], float],
    name: str,
    eval_config: config_pb2.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: metric_types.SubKey | None = None,
    aggregation_type: metric_types.AggregationType | None = None,
    class_weights: dict[int, float] | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    """Returns how a metric is computed; TFMA gives the arguments by name."""
    return computations(
        {
            name_in_slice(name, part): functools.partial(_of_part, value, at)
            for at, part in enumerate(_SLICES)
        },
        "_rating_errors",
        [metric_types.FeaturePreprocessor(feature_keys=[_GENRES])],
        lambda errors: _SummedErrors(errors, eval_config),
        aggregation_type,
        class_weights,
        model_name=model_name,
        output_name=output_name,
        sub_key=sub_key,
        example_weighted=example_weighted,
    )


def _of_part(
    value: Callable[[float, float, float], float], at: int, errors: _Errors
) -> float | None:
    count, squared, absolute = errors[at].tolist()
    return value(count, squared, absolute) if count or not at else None


class _SummedErrors(beam.CombineFn):
    """The number of ratings and their errors, of all and by genre."""

    def __init__(self, key: metric_types.MetricKey, eval_config: config_pb2.EvalConfig | None):
        self._key = key
        self._eval_config = eval_config

    def create_accumulator(self) -> _Errors:
        return np.zeros((len(_SLICES), 3))

    def add_input(
        self, accumulator: _Errors, element: metric_types.StandardMetricInputs
    ) -> _Errors:
        stars, predicted, _ = label_score_weight(element, self._key, self._eval_config)
        if len(predicted) < len(stars):
            raise ValueError(f"the model rated {len(predicted)} of {len(stars)} ratings")
        # A model fills shorter lists up to the longest of a batch.
        errors = predicted[: len(stars)].astype(np.float64) - stars
        summed = np.stack([np.ones(len(errors)), np.square(errors), np.abs(errors)], axis=1)
        accumulator[0] += summed.sum(axis=0)
        genres = np.asarray(element.get_features()[_GENRES]).reshape(len(stars), len(GENRES))
        # Not a product of matrices, in which 0 times NaN is NaN.
        by_genre = np.where(genres[:, :, np.newaxis], summed[:, np.newaxis], 0.0)
        accumulator[1:] += by_genre.sum(axis=0)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Errors]) -> _Errors:
        return np.sum(list(accumulators), axis=0)

    def extract_output(self, accumulator: _Errors) -> dict[metric_types.MetricKey, Any]:
        return {self._key: accumulator}
