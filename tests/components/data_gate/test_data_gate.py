import os

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.experimental.simple_artifacts import Statistics

from components.data_gate.component import DataGate_Executor
from components.data_gate.errors import DataGateError
from components.data_gate.previous import ACCEPTED, CURRENT, DATASET, SOURCE, LatestOtherStatistics

SPLITS = ["train", "eval"]
SCHEMA = """
feature {
  name: "stars"
  type: INT
  int_domain { min: 1 max: 6 }
  presence { min_fraction: 1.0 min_count: 1 }
  drift_comparator { jensen_shannon_divergence { threshold: 0.05 } }
  skew_comparator { jensen_shannon_divergence { threshold: 0.05 } }
}
"""


def ratings(shift=0, share_of_ones=0.1, rows=4000):
    """Stars from 1 to 5, most of them 3 and 4, all moved by `shift`."""
    shares = [share_of_ones, 0.15, 0.3, 0.3, 0.25 - share_of_ones]
    stars = np.random.default_rng(0).choice(np.arange(1, 6), rows, p=np.array(shares) / sum(shares))
    return pd.DataFrame({"stars": stars + shift})


class Gate:
    """The component over files in a folder."""

    def __init__(self, folder):
        self._folder = folder
        self._runs = 0
        self.schema = standard_artifacts.Schema()
        self.schema.uri = str(folder / "schema")
        os.makedirs(self.schema.uri)
        (folder / "schema" / "schema.pbtxt").write_text(SCHEMA)

    def _artifact(self, kind):
        artifact = kind()
        artifact.uri = str(self._folder / f"{self._runs}" / kind.TYPE_NAME)
        if kind is not Statistics:
            artifact.split_names = artifact_utils.encode_split_names(SPLITS)
        return artifact

    def run(self, train, eval_, previous=(), accept_drift=0, anomalies=None):
        self._runs += 1
        statistics = self._artifact(standard_artifacts.ExampleStatistics)
        found = self._artifact(standard_artifacts.ExampleAnomalies)
        accepted = self._artifact(Statistics)
        for split, frame in zip(SPLITS, (train, eval_), strict=True):
            uri = artifact_utils.get_split_uri([statistics], split)
            os.makedirs(uri)
            with open(os.path.join(uri, "FeatureStats.pb"), "wb") as file:
                file.write(tfdv.generate_statistics_from_dataframe(frame).SerializeToString())
            uri = artifact_utils.get_split_uri([found], split)
            os.makedirs(uri)
            with open(os.path.join(uri, "SchemaDiff.pb"), "wb") as file:
                file.write((anomalies or anomalies_pb2.Anomalies()).SerializeToString())
        DataGate_Executor().Do(
            {
                "anomalies": [found],
                "statistics": [statistics],
                "schema": [self.schema],
                "previous": list(previous),
            },
            {"accepted": [accepted]},
            {"dataset": "mine", "accept_drift": accept_drift, "code": "code"},
        )
        return accepted


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


def test_the_first_data_are_accepted_and_remembered(gate):
    accepted = gate.run(ratings(), ratings())
    assert accepted.get_string_custom_property(DATASET) == "mine"
    assert accepted.get_string_custom_property(SOURCE).endswith("ExampleStatistics")
    for split in SPLITS:
        path = os.path.join(accepted.uri, f"Split-{split}", "FeatureStats.pb")
        assert tfdv.load_stats_binary(path).datasets


def test_data_like_those_before_are_accepted(gate):
    first = gate.run(ratings(), ratings())
    gate.run(ratings(rows=3000), ratings(rows=1000), previous=[first])


def test_drift_is_refused_by_the_name_of_the_feature(gate):
    first = gate.run(ratings(), ratings())
    with pytest.raises(DataGateError, match=r"train: stars: .*divergence") as caught:
        gate.run(ratings(shift=1), ratings(shift=1), previous=[first])
    advice, *features = caught.value.reasons
    assert "accept_drift=true" in advice
    assert [feature[:13] for feature in features] == ["train: stars:", "eval: stars: "]


def test_drift_that_is_meant_becomes_what_later_data_resemble(gate):
    first = gate.run(ratings(), ratings())
    second = gate.run(ratings(shift=1), ratings(shift=1), previous=[first], accept_drift=1)
    gate.run(ratings(shift=1), ratings(shift=1), previous=[second])


def test_train_unlike_eval_is_refused(gate):
    with pytest.raises(DataGateError, match="train: stars: "):
        gate.run(ratings(), ratings(shift=1))


def test_an_anomaly_is_refused_in_one_line(gate):
    anomalies = anomalies_pb2.Anomalies()
    anomalies.anomaly_info["genres"].description = "Column is\n completely missing"
    with pytest.raises(DataGateError, match="eval: genres: Column is completely missing") as caught:
        gate.run(ratings(), ratings(), anomalies=anomalies)
    assert "\n" not in str(caught.value)


def _accepted(id_, dataset, source):
    artifact = Statistics()
    artifact.id = id_
    artifact.set_string_custom_property(DATASET, dataset)
    artifact.set_string_custom_property(SOURCE, source)
    return artifact


def test_earlier_statistics_of_the_same_data_set_are_found_and_their_own_copy_is_not():
    current = standard_artifacts.ExampleStatistics()
    current.uri = "statistics/7"
    known = [
        _accepted(1, "mine", "statistics/1"),
        _accepted(2, "mine", "statistics/2"),
        _accepted(3, "other", "statistics/3"),
        _accepted(4, "mine", "statistics/7"),
    ]
    resolved = LatestOtherStatistics("mine").resolve_artifacts(
        None, {CURRENT: [current], ACCEPTED: known}
    )
    assert [artifact.id for artifact in resolved[ACCEPTED]] == [2]
    alone = {CURRENT: [current], ACCEPTED: known[2:]}
    assert LatestOtherStatistics("mine").resolve_artifacts(None, alone)[ACCEPTED] == []
