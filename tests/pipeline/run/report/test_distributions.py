import itertools
import types

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from pipeline.run.report.distributions import (
    feature_distributions,
    interaction_distributions,
    read_anomalies,
)

KINDS = statistics_pb2.FeatureNameStatistics


@pytest.fixture
def write(tmp_path):
    """Returns a function that writes what is found of a split, and returns the whole folder."""

    def written(split, features, anomalies=()):
        message = statistics_pb2.DatasetFeatureStatisticsList()
        message.datasets.add().features.extend(features)
        found = anomalies_pb2.Anomalies()
        for name, description in anomalies:
            found.anomaly_info[name].description = description
        folder = tmp_path / f"Split-{split}"
        folder.mkdir()
        (folder / "FeatureStats.pb").write_bytes(message.SerializeToString())
        (folder / "SchemaDiff.pb").write_bytes(found.SerializeToString())
        return str(tmp_path)

    return written


def number(name, buckets, kind=KINDS.FLOAT, values=1, mean=0.0):
    """Statistics of a number with (low, high, count) in each range."""
    feature = KINDS(type=kind)
    feature.path.step.append(name)
    feature.num_stats.common_stats.max_num_values = values
    feature.num_stats.min, feature.num_stats.max = buckets[0][0], buckets[-1][1]
    feature.num_stats.mean = mean
    # By quantiles, which are of no use here, and of equal width.
    feature.num_stats.histograms.add(type=statistics_pb2.Histogram.QUANTILES)
    histogram = feature.num_stats.histograms.add(type=statistics_pb2.Histogram.STANDARD)
    for low, high, count in buckets:
        histogram.buckets.add(low_value=low, high_value=high, sample_count=count)
    return feature


def text(name, counts, total):
    feature = KINDS(type=KINDS.STRING)
    feature.path.step.append(name)
    feature.string_stats.common_stats.max_num_values = 1
    feature.string_stats.common_stats.num_non_missing = total
    for label, count in counts.items():
        feature.string_stats.rank_histogram.buckets.add(label=label, sample_count=count)
    return feature


def test_another_split_is_spread_over_the_ranges_of_the_train_split(write):
    write("train", [number("age", [(10, 20, 30), (20, 30, 10)])])
    # Half of the first range lies below the train split's, and the second above its first.
    uri = write("eval", [number("age", [(5, 15, 20), (15, 25, 40), (25, 45, 40)])])
    (age,) = feature_distributions(uri, "label")
    assert (age.name, age.labels) == ("age", ["10 to 20", "20 to 30"])
    assert age.shares["train"] == [0.75, 0.25]
    # What lies beyond the ends counts to the ranges there.
    np.testing.assert_allclose(age.shares["eval"], [0.4, 0.6])


def test_numbers_are_shown_as_people_write_them(write):
    def labels(name, *edges):
        return number(name, [(low, high, 1) for low, high in itertools.pairwise(edges)])

    features = [
        labels("time", 0, 999, 1000, 12345.6),
        labels("timestamp", 978307200, 1009843200, 1041379200),
        labels("small", -0.12345, 0.5),
        labels("loss", -2000, -1000),
    ]
    write("train", features)
    shown = {of.name: of.labels for of in feature_distributions(write("eval", features), "label")}
    assert shown == {
        "time": ["0 to 999", "999 to 1,000", "1,000 to 12,346"],
        "timestamp": ["2001-01 to 2002-01", "2002-01 to 2003-01"],
        "small": ["-0.123 to 0.5"],
        "loss": ["-2,000 to -1,000"],
    }


def test_two_neighbouring_whole_numbers_are_told_by_their_mean(write):
    def label(mean):
        return number("label", [(1, 2, 1)], KINDS.INT, mean=mean)

    write("train", [label(1.25)])
    (found,) = feature_distributions(write("eval", [label(1.5)]), "label")
    assert (found.labels, found.shares) == (
        ["1", "2"],
        {"train": [0.75, 0.25], "eval": [0.5, 0.5]},
    )


def test_the_most_frequent_texts_are_shown_and_the_others_together(write):
    many = {letter: 20 - place for place, letter in enumerate("abcdefghijkl")}
    few = dict.fromkeys("abc", 10)
    features = [text("job", many, 200), text("kind", few, 30), text("user_id", few, 30)]
    write("train", features)
    other = [text("job", {"b": 5, "z": 15}, 20), text("kind", {"c": 4}, 4)]
    job, kind = feature_distributions(write("eval", other), "label")
    assert job.labels == [*"abcdefghij", "all others"]
    np.testing.assert_allclose(job.shares["train"][:2], [20 / 200, 19 / 200])
    assert job.shares["eval"] == [0, 0.25, *[0] * 8, 0.75]
    for shares in job.shares.values():
        assert sum(shares) == pytest.approx(1)
    assert kind.labels == ["a", "b", "c"] and kind.shares["eval"] == [0, 0, 1]


def test_features_without_a_value_a_label_in_both_splits_or_any_difference_are_left_out(write):
    constant, lists = number("constant", [(3, 3, 5)]), number("lists", [(1, 5, 5)], values=7)
    label, none = number("label", [(3, 3, 5)]), number("none", [(1, 5, 5)], values=0)
    always = [label, constant, lists, none]
    write("train", [*always, number("gone", [(1, 5, 5)]), number("left", [(1, 5, 5)])])
    uri = write("eval", [*always, number("left", [(1, 5, 5)])])
    assert [of.name for of in feature_distributions(uri, "label")] == ["left"]


def test_a_feature_with_as_many_values_in_a_list_as_there_are_labels_is_shown(write):
    # Lists of one split are longer than those of the other.
    for split, longest in (("train", 7), ("eval", 3)):
        pair = number("pair", [(1, 5, 5)], values=2 * longest)
        uri = write(split, [number("label", [(1, 5, 5)], values=longest), pair])
    assert [of.name for of in feature_distributions(uri, "label")] == ["label"]


def test_counts_are_shown_in_ranges_that_double():
    # Of users with 2, 3, 4 and 9 items: item 0 is of all, 1 of three, and so on.
    lists = [range(2), range(3), range(4), [0, 1, *range(10, 17)]]
    starts = np.cumsum([0, *map(len, lists)])
    interactions = types.SimpleNamespace(
        items=np.concatenate([np.array(some) for some in lists]), starts=starts
    )
    activity, popularity = interaction_distributions(interactions)
    assert activity.name.startswith("activity") and popularity.name.startswith("popularity")
    assert activity.labels == ["2 to 3", "4 to 7", "8 to 15"]
    assert activity.shares == {"users": [0.5, 0.25, 0.25]}
    assert popularity.labels == ["1", "2 to 3", "4 to 7"]
    # Items 3 and 10 to 16 are of one user each, 2 of two; 0 and 1 of all four.
    np.testing.assert_allclose(popularity.shares["items"], np.array([8, 1, 2]) / 11)


def test_anomalies_are_told_by_split_and_feature(write):
    write("train", [], [("b", "too many"), ("a", "missing")])
    uri = write("eval", [], [("c", "odd")])
    assert read_anomalies(uri) == [
        ("train", "a", "missing"),
        ("train", "b", "too many"),
        ("eval", "c", "odd"),
    ]
