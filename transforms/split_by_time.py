"""Splits ratings at a moment, for what could have been foretold then."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.split_ratings import ToSplits

_DAY = 86_400


def rows_by_time(timestamp: np.ndarray, start: int, end: int | None) -> dict[str, np.ndarray]:
    """Returns for the splits `train` and `eval`, bool[n]: whether a rating is in it.

    Args:
        timestamp: Seconds, int64[n].
        start: Where train ends and eval begins.
        end: Where eval ends; None for never.
    """
    late = timestamp >= start
    return {"train": ~late, "eval": late if end is None else late & (timestamp < end)}


@beam.typehints.with_input_types(pa.RecordBatch)
class SplitByTime(beam.PTransform):
    """Splits batches with a `timestamp` in seconds into what was before a moment and what was not.

    Counts as `ToSplits` does.

    Args:
        split_time: The moment, in seconds since 1970.
        validation_percent: None evaluates on all from the moment on. Else nothing of that is in a
            split, and what is evaluated on are the last days before it, as few as hold so many of
            100 of the ratings before it.
    """

    def __init__(self, split_time: int, validation_percent: int | None):
        super().__init__()
        self._split_time = split_time
        self._validation_percent = validation_percent

    # Any: Beam warns of an annotation that is no PCollection.
    def expand(self, ratings: beam.PCollection[pa.RecordBatch]) -> Any:
        """Returns the outputs `train` and `eval`."""
        start: Any = self._split_time
        end = None
        if self._validation_percent is not None:
            end = self._split_time
            days = ratings | "Days" >> beam.Map(_days_before, end)
            total = days | "AddDays" >> beam.CombineGlobally(_add)
            start = beam.pvalue.AsSingleton(
                total | "FirstDay" >> beam.Map(_first_day, self._validation_percent)
            )
        return ratings | "Split" >> beam.ParDo(ToSplits(_find), start, end).with_outputs(
            "train", "eval"
        )


def _find(ratings: pa.RecordBatch, start: int, end: int | None) -> dict[str, np.ndarray]:
    return rows_by_time(ratings["timestamp"].to_numpy(), start, end)


def _days_before(ratings: pa.RecordBatch, end: int) -> dict[int, int]:
    """Returns how many ratings before a moment are of which day."""
    timestamp = ratings["timestamp"].to_numpy()
    days, counts = np.unique(timestamp[timestamp < end] // _DAY, return_counts=True)
    return dict(zip(days.tolist(), counts.tolist(), strict=True))


def _add(parts: Iterable[dict[int, int]]) -> dict[int, int]:
    total = Counter[int]()
    for part in parts:
        total.update(part)
    # Which Beam's coders would make of it on the way.
    return dict(total)


def _first_day(days: dict[int, int], percent: int) -> int:
    """Returns where the last days begin, as few as hold `percent` of 100 ratings, in seconds."""
    wanted, found = percent / 100 * sum(days.values()), 0
    for day in sorted(days, reverse=True):
        found += days[day]
        if found >= wanted:
            return day * _DAY
    # There is nothing before the moment.
    return 0
