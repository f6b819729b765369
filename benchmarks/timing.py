"""What a workload reports, and how it takes its times."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Timing:
    """How long a piece of work took.

    Attributes:
        seconds: Wall time of each repetition.
        count: Rows or examples that one repetition handles.
        share: The part of the work that was done, 0 to 1; `seconds` and `count` are of that part.
        parts: Seconds of each part of the work, by name, where it has parts.
        figures: What the result measures, by name, if it is a model.
    """

    seconds: list[float]
    count: int
    share: float = 1.0
    parts: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    """Returns the wall time of each of `repeats` calls of `work`."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds
