"""Whether and how long to look for better settings of the trainer."""

import dataclasses
from typing import Annotated

from transforms.base.settings import Range, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class TuningConfig(Settings):
    """Settings of the Tuner.

    Attributes:
        tune: Try other settings of the trainer on a part of the training data, and train with the
            best.
        tune_trials: How many settings of the trainer to try, no two of them alike; fewer where
            there are no more. The first are those as they stand, so that tuning never ends with
            worse ones, as measured on the part that is tried on.
    """

    tune: bool = False
    tune_trials: Annotated[
        int, Range(at_least=2, of=", the first for the settings as they stand")
    ] = 8
