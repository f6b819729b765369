"""What the data look like: from StatisticsGen's statistics, and from users' interactions."""

import itertools
import os
import time
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

_MOST_CATEGORIES = 10
_OTHERS = "all others"


class Distribution(NamedTuple):
    """Shares by value or range of values.

    Attributes:
        name: What is distributed.
        labels: The values, or ranges of them.
        shares: Their shares by split, each adding up to 1.
    """

    name: str
    labels: list[str]
    shares: dict[str, list[float]]


def feature_distributions(statistics: str, label: str) -> list[Distribution]:
    """Returns the distribution of each feature that has one value for each label, ids left out.

    Args:
        statistics: URI of StatisticsGen's artifact, with the splits train and eval.
        label: The feature with the labels.
    """
    splits = {split: _features(statistics, split) for split in ("train", "eval")}
    found = []
    for name, train in splits["train"].items():
        features = {split: of[name] for split, of in splits.items() if name in of}
        # In data that do not fit the schema a split may lack the feature, or have no value of it.
        whole = len(features) == len(splits) and all(
            0 < _most_values(feature) == _most_values(splits[split].get(label, feature))
            for split, feature in features.items()
        )
        if not whole or name.endswith("_id"):
            continue
        if train.HasField("string_stats"):
            found.append(_categories(name, features))
        elif train.type == train.INT and train.num_stats.max == train.num_stats.min + 1:
            found.append(_two_values(name, features))
        elif train.num_stats.min < train.num_stats.max:
            found.append(_numbers(name, features))
    return found


def interaction_distributions(interactions: Any) -> list[Distribution]:
    """Returns how many items users have, and how many users items have.

    Args:
        interactions: As a pipeline's `read_interactions` returns them.
    """
    popularity = pa.array(interactions.items).value_counts().field("counts").to_numpy()
    return [
        _doubling("activity: interactions of a user", "users", np.diff(interactions.starts)),
        _doubling("popularity: interactions with an item", "items", popularity),
    ]


def read_anomalies(anomalies: str) -> list[tuple[str, str, str]]:
    """Returns split, feature and description of what ExampleValidator found.

    Args:
        anomalies: URI of its artifact.
    """
    found = []
    for split in ("train", "eval"):
        with open(os.path.join(anomalies, f"Split-{split}", "SchemaDiff.pb"), "rb") as file:
            message = anomalies_pb2.Anomalies.FromString(file.read())
        found += [
            (split, name, info.description) for name, info in sorted(message.anomaly_info.items())
        ]
    return found


def _features(statistics: str, split: str) -> dict[str, Any]:
    with open(os.path.join(statistics, f"Split-{split}", "FeatureStats.pb"), "rb") as file:
        message = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())
    return {feature.path.step[0]: feature for feature in message.datasets[0].features}


def _most_values(feature: Any) -> int:
    """Returns how many values of a feature an Example has at most."""
    most: int = getattr(feature, feature.WhichOneof("stats")).common_stats.max_num_values
    return most


def _numbers(name: str, features: dict[str, Any]) -> Distribution:
    """Returns shares of ranges of equal width, which are those of the train split."""
    histograms = {
        split: next(h for h in feature.num_stats.histograms if h.type == h.STANDARD).buckets
        for split, feature in features.items()
    }
    edges = [bucket.low_value for bucket in histograms["train"]]
    edges.append(histograms["train"][-1].high_value)
    shares = {}
    for split, buckets in histograms.items():
        # Another split has other ranges: its rows are spread evenly over each of them.
        places = [buckets[0].low_value, *(bucket.high_value for bucket in buckets)]
        below = np.interp(edges, places, np.cumsum([0, *(b.sample_count for b in buckets)]))
        counts = np.diff([0, *below[1:-1], sum(b.sample_count for b in buckets)])
        shares[split] = (counts / counts.sum()).tolist()
    shown = [_shown(name, edge) for edge in edges]
    labels = [f"{low} to {high}" for low, high in itertools.pairwise(shown)]
    return Distribution(name, labels, shares)


def _two_values(name: str, features: dict[str, Any]) -> Distribution:
    """Returns the shares of two neighbouring whole numbers, from their mean."""
    low = features["train"].num_stats.min
    above = {split: feature.num_stats.mean - low for split, feature in features.items()}
    labels = [f"{low:g}", f"{low + 1:g}"]
    return Distribution(name, labels, {split: [1 - x, x] for split, x in above.items()})


def _shown(name: str, value: float) -> str:
    if name == "timestamp":
        return time.strftime("%Y-%m", time.gmtime(value))
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _categories(name: str, features: dict[str, Any]) -> Distribution:
    """Returns shares of the values that are most frequent in the train split, and of the rest."""
    counts = {
        split: {b.label: b.sample_count for b in feature.string_stats.rank_histogram.buckets}
        for split, feature in features.items()
    }
    labels = list(counts["train"])[:_MOST_CATEGORIES]
    shares = {}
    for split, by_label in counts.items():
        common = features[split].string_stats.common_stats
        total = common.num_non_missing
        known = [by_label.get(label, 0.0) / total for label in labels]
        shares[split] = [*known, max(0.0, 1 - sum(known))]
    if len(counts["train"]) > len(labels):
        labels.append(_OTHERS)
    return Distribution(name, labels, {split: of[: len(labels)] for split, of in shares.items()})


def _doubling(name: str, of: str, counts: np.ndarray) -> Distribution:
    """Returns shares of counts in ranges that double: 1, 2 to 3, 4 to 7 and so on."""
    power = np.log2(counts).astype(int)
    shares = np.bincount(power - power.min()) / len(counts)
    lows = 2 ** (power.min() + np.arange(len(shares)))
    labels = ["1" if low == 1 else f"{low:,} to {2 * low - 1:,}" for low in lows.tolist()]
    return Distribution(name, labels, {of: shares.tolist()})
