import os
import re

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.experimental.simple_artifacts import Statistics

from components.curated_schema_gen.component import SOURCE
from components.data_gate.accepted import AcceptedStatistics
from components.data_gate.driver import DataGateDriver
from components.data_gate.errors import DataGateError
from components.data_gate.executor import DataGateExecutor
from transforms.base.errors import UserError

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
        self.root = str(folder / "accepted")
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

    def run(self, train, eval_=None, dataset="mine", accept_drift=0, anomalies=None):
        """Runs the gate; returns what its driver had told TFX's cache."""
        self._runs += 1
        statistics = self._artifact(standard_artifacts.ExampleStatistics)
        found = self._artifact(standard_artifacts.ExampleAnomalies)
        accepted = self._artifact(Statistics)
        for split, frame in zip(SPLITS, (train, train if eval_ is None else eval_), strict=True):
            uri = artifact_utils.get_split_uri([statistics], split)
            os.makedirs(uri)
            with open(os.path.join(uri, "FeatureStats.pb"), "wb") as file:
                file.write(tfdv.generate_statistics_from_dataframe(frame).SerializeToString())
            uri = artifact_utils.get_split_uri([found], split)
            os.makedirs(uri)
            with open(os.path.join(uri, "SchemaDiff.pb"), "wb") as file:
                found_here = (anomalies or {}).get(split, anomalies_pb2.Anomalies())
                file.write(found_here.SerializeToString())
        inputs = {"anomalies": [found], "statistics": [statistics], "schema": [self.schema]}
        properties = {
            "dataset": dataset,
            "accepted_root": self.root,
            "accept_drift": accept_drift,
            "code": "code",
        }
        told = DataGateDriver(None).run(
            ExecutionInfo(input_dict=inputs, exec_properties=properties)
        )
        DataGateExecutor().Do(inputs, {"accepted": [accepted]}, properties)
        self.output = accepted
        return told.exec_properties["reference"].string_value


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


def test_the_first_data_are_accepted_and_remembered(gate):
    assert gate.run(ratings()) == ""
    accepted = AcceptedStatistics(gate.root, "mine")
    (name,) = accepted.names()
    assert [dataset.name for dataset in accepted.read(name).datasets] == SPLITS
    path = os.path.join(gate.output.uri, "FeatureStats.pb")
    assert tfdv.load_stats_binary(path) == accepted.read(name)


def test_data_like_those_accepted_pass_and_drift_by_small_steps_adds_up(gate):
    gate.run(ratings(share_of_ones=0.05))
    assert gate.run(ratings(share_of_ones=0.14)).startswith("000001-")
    with pytest.raises(DataGateError, match="train: stars: "):
        gate.run(ratings(share_of_ones=0.22))
    # The first data are what they were, and their run is cached.
    assert gate.run(ratings(share_of_ones=0.05)) == ""


def test_drift_is_refused_by_the_name_of_the_feature(gate):
    gate.run(ratings())
    with pytest.raises(DataGateError, match=r"train: stars: .*divergence") as caught:
        gate.run(ratings(shift=1))
    advice, *features = caught.value.reasons
    assert "accept_drift=1" in advice
    assert [feature[:13] for feature in features] == ["train: stars:", "eval: stars: "]


def test_each_split_is_compared_with_its_own_past(gate):
    # Train and eval differ, but not by as much as the schema allows.
    kinds = {"train": ratings(share_of_ones=0.05), "eval_": ratings(share_of_ones=0.16)}
    gate.run(**kinds)
    gate.run(train=kinds["train"], eval_=ratings(share_of_ones=0.17))
    with pytest.raises(DataGateError) as caught:
        gate.run(train=ratings(share_of_ones=0.22), eval_=ratings(share_of_ones=0.17))
    assert [reason[:13] for reason in caught.value.reasons[1:]] == ["train: stars:"]
    # Like train's past, and unlike its own.
    with pytest.raises(DataGateError) as caught:
        gate.run(train=ratings(share_of_ones=0.05), eval_=ratings(share_of_ones=0.02))
    assert [reason[:13] for reason in caught.value.reasons[1:]] == ["eval: stars: "]


def test_drift_that_is_meant_stays_accepted_and_makes_the_former_data_drift(gate):
    gate.run(ratings())
    gate.run(ratings(shift=1), accept_drift=1)
    gate.run(ratings(shift=1))
    with pytest.raises(DataGateError, match="differ too much from those accepted before"):
        gate.run(ratings())


def test_an_unchanged_run_is_told_the_same_by_the_driver(gate):
    assert gate.run(ratings()) == gate.run(ratings()) == ""
    first = gate.run(ratings(shift=1), accept_drift=1)
    assert first == gate.run(ratings(shift=1), accept_drift=1) != ""
    assert gate.run(ratings(), accept_drift=1) != first
    # What is in force is not accepted once more.
    assert len(AcceptedStatistics(gate.root, "mine").names()) == 3


def test_the_tenth_acceptance_is_newer_than_the_ninth(gate):
    for rows in range(100, 111):
        gate.run(ratings(rows=rows), accept_drift=1)
    accepted = AcceptedStatistics(gate.root, "mine")
    assert [name[:6] for name in accepted.names()] == [f"{i:06d}" for i in range(11, 0, -1)]


def test_data_sets_are_compared_with_themselves_alone(gate):
    gate.run(ratings())
    gate.run(ratings(shift=1), dataset="another/../one")
    gate.run(ratings())
    assert sorted(os.listdir(gate.root)) == ["dataset-another%2F..%2Fone", "dataset-mine"]


def test_train_unlike_eval_is_refused_until_it_is_accepted(gate):
    kinds = {"train": ratings(), "eval_": ratings(shift=1)}
    with pytest.raises(DataGateError, match="train: stars: ") as caught:
        gate.run(**kinds)
    assert "accept_drift=1" in caught.value.reasons[0] and not os.path.exists(gate.root)
    gate.run(**kinds, accept_drift=1)
    gate.run(**kinds)
    # Others with the same fault are others.
    with pytest.raises(DataGateError, match="train differs too much from eval"):
        gate.run(ratings(), ratings(shift=1, rows=3900))


def test_what_is_cut_off_while_it_is_written_is_not_accepted(gate):
    gate.run(ratings())
    (folder,) = os.listdir(gate.root)
    with open(os.path.join(gate.root, folder, "000002-abc.pb.part"), "wb"):
        pass
    gate.run(ratings())
    assert len(AcceptedStatistics(gate.root, "mine").names()) == 1


def test_an_anomaly_is_refused_in_one_line(gate):
    anomalies = anomalies_pb2.Anomalies()
    anomalies.anomaly_info["genres"].description = "Column is\n completely missing"
    anomalies.dataset_anomaly_info.description = "too few examples"
    with pytest.raises(DataGateError, match="eval: genres: Column is completely missing") as caught:
        gate.run(ratings(), anomalies={"eval": anomalies})
    assert "correct them, or extend the schema if" in caught.value.reasons[0]
    assert "\n" not in str(caught.value) and "eval: too few examples" in caught.value.reasons


def test_an_anomaly_is_told_with_the_file_that_forbids_it(gate):
    package = "components.wide_deep_trainer.census"
    gate.schema.set_string_custom_property(SOURCE, f"{package}:schema.pbtxt")
    anomalies = {"eval": anomalies_pb2.Anomalies(data_missing=True)}
    with pytest.raises(DataGateError) as caught:
        gate.run(ratings(), anomalies=anomalies)
    (named,) = re.findall(r"extend (\S+) if", caught.value.reasons[0])
    assert os.path.isfile(named) and named.endswith(f"{package.replace('.', '/')}/schema.pbtxt")


def test_a_split_without_examples_is_refused(gate):
    with pytest.raises(DataGateError, match=r"eval: no examples"):
        gate.run(ratings(), anomalies={"eval": anomalies_pb2.Anomalies(data_missing=True)})


def test_accept_drift_of_an_engine_is_checked(gate):
    with pytest.raises(UserError, match=r"accept_drift='2': must be one of 0, 1"):
        gate.run(ratings(), accept_drift=2)


def test_other_code_than_was_compiled_is_refused_first():
    code = "0@components.data_gate.executor"
    with pytest.raises(
        UserError, match=r"^components\.data_gate\.executor: the code in this image"
    ):
        DataGateExecutor().Do({}, {}, {"code": code})
