"""Bounds that a model has to keep to be pushed, and the mistakes they refuse as settings."""

import dataclasses
from typing import ClassVar

from transforms.base.settings import check

__all__ = ["GATES", "Bound", "CensusGate", "Gate", "NcfGate", "RatingGate"]

# The share of the larger class in adult.test: a model that says "<=50K" to everyone reaches it.
_CENSUS_MAJORITY = 0.764


@dataclasses.dataclass(frozen=True)
class Bound:
    """A bound on one metric over the overall slice.

    Attributes:
        metric: The metric's name, as in the Evaluator's results.
        setting: The setting that holds the bound.
        limit: The bound itself.
        higher_is_better: Whether the bound is from below.
    """

    metric: str
    setting: str
    limit: float
    higher_is_better: bool

    def keeps(self, value: float | None) -> bool:
        """Returns whether a value of the metric keeps the bound; None, no number, does not."""
        if value is None:
            return False
        return value >= self.limit if self.higher_is_better else value <= self.limit


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gate:
    """Base of the gates: which setting bounds which metric.

    Attributes:
        max_regression: How much worse than the model in use a metric may be, in the
            metric's own unit.
        accept_drift: In this one run take data that differ from those accepted before as what
            later data are compared with, instead of refusing them.
    """

    LOWER: ClassVar[dict[str, str]] = {}
    UPPER: ClassVar[dict[str, str]] = {}

    max_regression: float
    accept_drift: bool = False

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        check(self.max_regression >= 0, "max_regression", self.max_regression, "at least 0")
        for setting in self.LOWER:
            value = getattr(self, setting)
            check(0 < value < 1, setting, value, "above 0 and below 1")

    def bounds(self) -> tuple[Bound, ...]:
        """Returns the bounds of this gate."""
        return tuple(
            Bound(metric, setting, getattr(self, setting), higher_is_better)
            for settings, higher_is_better in ((self.LOWER, True), (self.UPPER, False))
            for setting, metric in settings.items()
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class NcfGate(Gate):
    """Bounds for ranking.

    Attributes:
        min_hit_rate: Lower bound of HR@10.
        min_ndcg: Lower bound of NDCG@10.
    """

    LOWER: ClassVar = {"min_hit_rate": "hit_rate_at_10", "min_ndcg": "ndcg_at_10"}

    min_hit_rate: float
    min_ndcg: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class RatingGate(Gate):
    """Bounds for ratings.

    Attributes:
        max_rmse: Upper bound of the root mean squared error, in stars.
    """

    UPPER: ClassVar = {"max_rmse": "rmse"}

    max_rmse: float

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        super().__post_init__()
        check(0 < self.max_rmse <= 5, "max_rmse", self.max_rmse, "above 0 and at most 5 stars")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CensusGate(Gate):
    """Bounds for classification.

    Attributes:
        min_accuracy: Lower bound of the accuracy.
        min_auc: Lower bound of the area under the ROC curve.
    """

    LOWER: ClassVar = {"min_accuracy": "accuracy", "min_auc": "auc"}

    min_accuracy: float
    min_auc: float

    def __post_init__(self) -> None:
        """Raises UserError for a bound that a model without any skill would pass."""
        super().__post_init__()
        check(
            self.min_accuracy > _CENSUS_MAJORITY,
            "min_accuracy",
            self.min_accuracy,
            f"above {_CENSUS_MAJORITY}, the accuracy of always answering <=50K",
        )
        check(self.min_auc > 0.5, "min_auc", self.min_auc, "above 0.5, the AUC of chance")


GATES: dict[str, type[Gate]] = {"ncf": NcfGate, "movielens": RatingGate, "census": CensusGate}
"""The class of a pipeline's gate."""
