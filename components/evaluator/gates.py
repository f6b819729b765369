"""Bounds that a model has to keep to be pushed, and the mistakes they refuse as settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from transforms.base.settings import Range, Settings, extras


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A bound on one metric over the overall slice. A lower bound of 0 is none.

    Attributes:
        metric: The metric's name, as in the Evaluator's results.
        setting: The setting that holds the bound.
        limit: The bound itself.
        higher_is_better: Whether the bound is from below.
        rules: What the limit has to keep.
    """

    metric: str
    setting: str
    limit: float
    higher_is_better: bool
    rules: tuple[Range, ...]

    def __post_init__(self) -> None:
        """Raises UserError for a limit that breaks a rule."""
        for rule in self.rules:
            rule.check(self.setting, self.limit)

    @property
    def on(self) -> bool:
        """Whether there is a bound."""
        return not self.higher_is_better or self.limit > 0

    def keeps(self, value: float | None) -> bool:
        """Returns whether a value of the metric keeps the bound; None, no number, does not."""
        if value is None:
            return False
        return value >= self.limit if self.higher_is_better else value <= self.limit


@dataclass(frozen=True, kw_only=True)
class Limits:
    """All that a model is judged by, in the same form for every pipeline.

    Attributes:
        max_regression: The gate's.
        bounds: The gate's.
    """

    max_regression: float
    bounds: tuple[Bound, ...]

    def with_limits(self, values: Mapping[str, Any]) -> "Limits":
        """Returns these with a value under the name of a bound's setting in its limit's place."""
        bounds = (replace(b, limit=values.get(b.setting, b.limit)) for b in self.bounds)
        return replace(self, bounds=tuple(bounds))

    @property
    def bounds_on(self) -> tuple[Bound, ...]:
        """The bounds that a model has to keep."""
        return tuple(bound for bound in self.bounds if bound.on)

    def by_setting(self) -> dict[str, float]:
        """Returns the limits under the names of their settings."""
        return {bound.setting: bound.limit for bound in self.bounds}


@dataclass(frozen=True)
class Lower:
    """Marks a setting as the lower bound of a metric, of which more is better."""

    metric: str


@dataclass(frozen=True)
class Upper:
    """Marks a setting as the upper bound of a metric, of which less is better."""

    metric: str


@dataclass(frozen=True, kw_only=True)
class Gate(Settings):
    """Base of the gates, whose bounds are settings marked as Lower or Upper.

    Attributes:
        max_regression: How much worse than the model in use a metric may be, in the
            metric's own unit.
        accept_drift: In this one run take data that differ from those accepted before, or in train
            from eval, as what later data are compared with, instead of refusing them.
    """

    max_regression: Annotated[float, Range(at_least=0)]
    accept_drift: bool = False

    def limits(self) -> Limits:
        """Returns what the Evaluator judges by."""
        rules = extras(type(self), Range)
        bounds = tuple(
            Bound(
                metric=mark.metric,
                setting=setting,
                limit=getattr(self, setting),
                higher_is_better=isinstance(mark, Lower),
                rules=tuple(rules[setting]),
            )
            for setting, marks in extras(type(self), Lower | Upper).items()
            for mark in marks
        )
        return Limits(max_regression=self.max_regression, bounds=bounds)
