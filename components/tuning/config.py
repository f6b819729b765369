"""Whether and how long to look for better settings of the trainer."""

import dataclasses

from transforms.base.settings import check

__all__ = ["TuningConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TuningConfig:
    """Settings of the Tuner.

    Attributes:
        tune: Try other settings of the trainer on a part of the training data, and train with the
            best.
        tune_trials: How many to try, no two of them alike; fewer where there are no more. The first
            are the trainer's settings as they stand, so that tuning never ends with worse ones, as
            measured on that part.
    """

    tune: bool = False
    tune_trials: int = 8

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        rule = "at least 2, the first for the settings as they stand"
        check(self.tune_trials >= 2, "tune_trials", self.tune_trials, rule)
