import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.split_ratings import SplitRatings, held_out, split_rows

IDS = st.integers(-(2**63), 2**63 - 1)
PAIRS = st.lists(st.tuples(IDS, IDS), min_size=1)


def columns(pairs):
    return tuple(np.array(column, np.int64) for column in zip(*pairs, strict=True))


@settings(max_examples=50, deadline=None)
@given(PAIRS, PAIRS, st.integers(0, 99), st.randoms())
def test_new_ratings_and_another_order_never_move_an_old_one(old, new, percent, random):
    before = dict(zip(old, held_out(*columns(old), percent, 7), strict=True))
    mixed = old + new
    random.shuffle(mixed)
    after = dict(zip(mixed, held_out(*columns(mixed), percent, 7), strict=True))
    assert {pair: after[pair] for pair in old} == before


def test_the_share_is_right_for_any_user_item_and_seed():
    users, items = (side.ravel() for side in np.meshgrid(np.arange(300), np.arange(300)))
    for seed in range(3):
        for percent in (1, 20, 99):
            held = held_out(users, items, percent, seed)
            share = percent / 100
            error = 5 * np.sqrt(share * (1 - share) / len(held))
            assert abs(held.mean() - share) < error
            # Of each user, too: the variance of a binomial and no more.
            shares = held.reshape(300, 300).mean(axis=0)
            assert abs(shares.std() / np.sqrt(share * (1 - share) / 300) - 1) < 0.25
    together = (held_out(users, items, 50, 0) == held_out(users, items, 50, 1)).mean()
    assert abs(together - 0.5) < 0.01


@settings(max_examples=50, deadline=None)
@given(PAIRS, st.integers(1, 99), st.integers(0, 9))
def test_every_rating_is_in_one_split_and_validation_is_a_part_of_train(pairs, percent, seed):
    test = split_rows(*columns(pairs), percent, seed, validation=False)
    assert (test["train"] ^ test["eval"]).all()
    validation = split_rows(*columns(pairs), percent, seed, validation=True)
    assert not (validation["train"] & validation["eval"]).any()
    assert ((validation["train"] | validation["eval"]) == test["train"]).all()


def test_validation_has_the_same_share_of_what_is_left():
    pairs = [(user, item) for user in range(100) for item in range(100)]
    validation = split_rows(*columns(pairs), 30, 5, validation=True)
    assert abs(validation["eval"].sum() / 7000 - 0.3) < 0.03
    other = split_rows(*columns(pairs), 30, 6, validation=True)
    both = (validation["train"] | validation["eval"]) & (other["train"] | other["eval"])
    assert abs((validation["eval"] == other["eval"])[both].mean() - (0.3**2 + 0.7**2)) < 0.05


def test_a_pipeline_splits_and_counts():
    pairs = columns([(user, item) for user in range(40) for item in range(40)])
    expected = split_rows(*pairs, 30, 5, validation=False)
    batch = pa.RecordBatch.from_arrays(list(map(pa.array, pairs)), ["user_id", "item_id"])
    pipeline = beam.Pipeline(LOCAL_RUNNER)
    splits = pipeline | beam.Create([batch]) | SplitRatings(30, 5, validation=False)
    for name in ("train", "eval"):
        assert_that(splits[name], equal_to([batch.filter(pa.array(expected[name]))]), name)
    result = pipeline.run()
    result.wait_until_finish()
    counters = {c.key.metric.name: c.result for c in result.metrics().query()["counters"]}
    sums = {f"rows_{name}": rows.sum() for name, rows in expected.items()}
    assert counters == {**sums, "rows_left_out": 0}
