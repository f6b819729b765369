"""Splits ratings by a hash of what they are, whatever else is in the file."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.base.hashing import draws_percent


def held_out(user_id: np.ndarray, item_id: np.ndarray, percent: int, *seeds: int) -> np.ndarray:
    """Returns bool[n]: whether a rating is among the `percent` of all that are held out.

    It depends on the seeds, the user and the item alone, so a new rating never moves an old one,
    and repeats of a rating stay together.

    Args:
        user_id: int64[n].
        item_id: int64[n].
        percent: 0 to 100.
        *seeds: Different seeds give independent answers.
    """
    return draws_percent(percent, *seeds, user_id, item_id)


def split_rows(
    user_id: np.ndarray, item_id: np.ndarray, eval_percent: int, seed: int, validation: bool
) -> dict[str, np.ndarray]:
    """Returns for the splits `train` and `eval`, bool[n]: whether a rating is in it.

    Args:
        user_id: int64[n].
        item_id: int64[n].
        eval_percent: How many of 100 ratings are evaluated on.
        seed: Determines which.
        validation: Whether the ratings that are evaluated on come out of what would be trained on
            otherwise, and those that would be evaluated on are in neither split.
    """
    test = held_out(user_id, item_id, eval_percent, seed)
    if not validation:
        return {"train": ~test, "eval": test}
    chosen = held_out(user_id, item_id, eval_percent, seed, 1)
    return {"train": ~test & ~chosen, "eval": ~test & chosen}


@beam.typehints.with_input_types(pa.RecordBatch)
class SplitRatings(beam.PTransform):
    """Splits batches with `user_id` and `item_id` as `split_rows` does.

    Counts as `ToSplits` does.

    Args:
        eval_percent: As in `split_rows`.
        seed: As in `split_rows`.
        validation: As in `split_rows`.
    """

    def __init__(self, eval_percent: int, seed: int, validation: bool):
        super().__init__()
        self._find = functools.partial(
            _find, eval_percent=eval_percent, seed=seed, validation=validation
        )

    # Any: Beam warns of an annotation that is no PCollection.
    def expand(self, ratings: beam.PCollection[pa.RecordBatch]) -> Any:
        """Returns the outputs `train` and `eval`."""
        return ratings | "Split" >> beam.ParDo(ToSplits(self._find)).with_outputs("train", "eval")


class ToSplits(beam.DoFn):
    """Sends the rows of batches to outputs that are named as their splits.

    Counts `split_ratings/rows_train`, `rows_eval` and, for those in neither, `rows_left_out`.

    Args:
        find: Returns for the splits `train` and `eval`, bool[n]: whether a row of the batch is in
            it. It is given what the DoFn is given, too.
    """

    def __init__(self, find: Callable[..., dict[str, np.ndarray]]):
        self._find = find

    def setup(self) -> None:
        """Creates the counters."""
        self._rows = {
            name: beam.metrics.Metrics.counter("split_ratings", f"rows_{name}")
            for name in ("train", "eval", "left_out")
        }

    def process(self, ratings: pa.RecordBatch, *given: Any) -> Iterator[beam.pvalue.TaggedOutput]:
        """Yields what of a batch is in a split."""
        splits = self._find(ratings, *given)
        for name, rows in splits.items():
            self._rows[name].inc(int(rows.sum()))
            if rows.any():
                yield beam.pvalue.TaggedOutput(name, ratings.filter(pa.array(rows)))
        self._rows["left_out"].inc(int((~(splits["train"] | splits["eval"])).sum()))


def _find(ratings: pa.RecordBatch, **settings: Any) -> dict[str, np.ndarray]:
    ids = (ratings[name].to_numpy() for name in ("user_id", "item_id"))
    return split_rows(*ids, **settings)
