import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that, equal_to

from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.split_by_time import SplitByTime, rows_by_time

DAY = 86_400


def batches(*parts):
    """A batch of timestamps for each part."""
    return [
        pa.RecordBatch.from_arrays([pa.array(part, pa.int64())], ["timestamp"]) for part in parts
    ]


def test_a_rating_at_the_moment_is_evaluated_on_and_one_at_the_end_is_not():
    times = np.array([9, 10, 19, 20])
    assert {name: rows.tolist() for name, rows in rows_by_time(times, 10, 20).items()} == {
        "train": [True, False, False, False],
        "eval": [False, True, True, False],
    }
    assert rows_by_time(times, 10, None)["eval"].tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("percent", "train", "evaluated"),
    [
        (None, [0, 1, DAY, 2 * DAY, 3 * DAY + 5], [4 * DAY, 9 * DAY]),
        # A fifth of five is one, and the last day has it.
        (20, [0, 1, DAY, 2 * DAY], [3 * DAY + 5]),
        (21, [0, 1, DAY], [2 * DAY, 3 * DAY + 5]),
        (61, [], [0, 1, DAY, 2 * DAY, 3 * DAY + 5]),
    ],
)
def test_validation_has_the_last_days_before_the_moment(percent, train, evaluated):
    parts = [9 * DAY, 0, 3 * DAY + 5], [DAY, 4 * DAY], [2 * DAY, 1]
    splits = {"train": train, "eval": evaluated}
    pipeline = beam.Pipeline(LOCAL_RUNNER)
    found = pipeline | beam.Create(batches(*parts)) | SplitByTime(4 * DAY, percent)
    for name, times in splits.items():
        flat = found[name] | f"Times[{name}]" >> beam.FlatMap(_times)
        assert_that(flat, equal_to(times), name)
    result = pipeline.run()
    result.wait_until_finish()
    counters = {c.key.metric.name: c.result for c in result.metrics().query()["counters"]}
    sizes = {f"rows_{name}": len(times) for name, times in splits.items()}
    assert counters == {**sizes, "rows_left_out": 7 - sum(sizes.values())}


def test_without_a_rating_before_the_moment_there_is_nothing_to_validate_on():
    with beam.Pipeline(LOCAL_RUNNER) as pipeline:
        found = pipeline | beam.Create(batches([5])) | SplitByTime(5, 20)
        for name in ("train", "eval"):
            assert_that(found[name], equal_to([]), name)


def _times(batch):
    return batch["timestamp"].to_pylist()
