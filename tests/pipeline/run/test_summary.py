import dataclasses
import io
import json
import os

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd_pb2
from tfx.orchestration import metadata

from components.example_gen.executor import quarantine_file
from pipeline.config import preset
from pipeline.run.deployment import local_deployment
from pipeline.run.progress import Progress
from pipeline.run.summary import summarise, summarise_stopped
from transforms.base.settings import to_json

CONFIG = preset("ncf", "sample")


class Metadata:
    """A deployment whose metadata tell of runs."""

    def __init__(self, folder):
        self.deployment = local_deployment(
            CONFIG, "sample", str(folder / "data"), str(folder / "ncf")
        )

    def put(self, run, node, key, kind, uri, **properties):
        """Adds an execution of a run with one output."""
        connection = metadata.sqlite_metadata_connection_config(self.deployment.metadata_file)
        with metadata.Metadata(connection) as handle:
            store = handle.store
            of_run = store.put_context_type(mlmd_pb2.ContextType(name="pipeline_run"))
            of_node = store.put_context_type(mlmd_pb2.ContextType(name="node"))
            type_id = store.put_execution_type(mlmd_pb2.ExecutionType(name=node))
            artifact = mlmd_pb2.Artifact(
                type_id=store.put_artifact_type(mlmd_pb2.ArtifactType(name=kind)), uri=uri
            )
            for name, value in properties.items():
                kind = "int_value" if isinstance(value, int) else "string_value"
                setattr(artifact.custom_properties[name], kind, value)
            event = mlmd_pb2.Event(type=mlmd_pb2.Event.OUTPUT)
            event.path.steps.add().key = key
            contexts = [
                mlmd_pb2.Context(type_id=of_run, name=run),
                mlmd_pb2.Context(type_id=of_node, name=f"ncf.{node}"),
            ]
            store.put_execution(
                mlmd_pb2.Execution(type_id=type_id),
                [(artifact, event)],
                contexts,
                reuse_context_if_already_exist=True,
            )


@pytest.fixture
def told(tmp_path):
    return Metadata(tmp_path)


@pytest.fixture
def deployment(told):
    """A deployment whose metadata tell of a run, in which StatisticsGen wrote to /before."""
    told.put("1", "StatisticsGen", "statistics", "ExampleStatistics", "/before")
    return told.deployment


def _record(folder, **changes):
    record = {
        "metrics": {"hit_rate_at_10": 0.5},
        "slices": {},
        "bounds": {},
        "reasons": [],
        "parent": "7:abc",
        "baseline": {"hit_rate_at_10": 0.4},
        "blessed": True,
        "notes": [],
        **changes,
    }
    folder.mkdir()
    (folder / "record.json").write_text(json.dumps(record))
    return str(folder)


def _evaluated(told, run, blessing, pushed, destination=""):
    told.put(run, "Evaluator", "blessing", "ModelBlessing", blessing)
    properties = {"pushed": pushed, "pushed_destination": destination}
    told.put(run, "Pusher", "pushed_model", "PushedModel", "/pushed", **properties)


def test_the_latest_run_is_told_of_with_the_model_it_was_compared_with(told, tmp_path):
    _evaluated(told, "1", _record(tmp_path / "first", baseline={}), 0)
    counters = {"rows": 9, "repeats": 2, "quarantined": 0}
    told.put("2", "RatingsExampleGen", "examples", "Examples", "/e", **counters)
    _evaluated(told, "2", _record(tmp_path / "second", notes=["a note"]), 1, "/serving/8")
    summary, record = summarise(CONFIG, told.deployment, Progress(io.StringIO(), live=False))
    assert record["parent"] == "7:abc" and summary["blessed"]
    assert summary["pushed_model"] == "/serving/8"
    shown = ("metrics", "slices", "baseline", "bounds", "blessed", "reasons")
    assert {name: summary[name] for name in shown} == {name: record[name] for name in shown}
    assert summary["notes"] == ["a note", "note: 2 of 9 rows repeat a user and item of another row"]
    assert {"python", "tfx"} <= summary["versions"].keys()
    assert summary["lineage"]["code"] == dataclasses.asdict(told.deployment.code)
    assert summary["lineage"]["baseline_model"] == os.path.join(told.deployment.serving_dir, "7")


def test_what_was_not_compared_and_not_pushed_is_told_as_nothing(told, tmp_path):
    refused = _record(tmp_path / "refused", baseline={}, blessed=False, reasons=["low"])
    _evaluated(told, "1", refused, 0)
    summary, _ = summarise(CONFIG, told.deployment, Progress(io.StringIO(), live=False))
    assert summary["pushed_model"] is None and summary["reasons"] == ["low"]
    assert summary["lineage"]["baseline_model"] == ""


def test_trials_are_counted_from_one_and_told_in_their_order(told, tmp_path):
    rows = [
        {"trial_id": "1", "score": 0.7, "num_factors": 16},
        {"trial_id": "0", "score": 0.6, "num_factors": 8},
    ]
    (tmp_path / "tuner_results.json").write_text(json.dumps(rows))
    told.put("1", "Tuner", "tuner_results", "TunerResults", str(tmp_path), metric="ndcg_at_10")
    progress = Progress(io.StringIO(), live=False)
    progress.start("Tuner")
    progress.finish("Tuner", cached=False)
    known = summarise_stopped(CONFIG, told.deployment, progress)
    tuning = known["tuning"]
    # What was trained with is what was chosen, and all else as it was set.
    trainer = json.loads(to_json(CONFIG.trainer))
    assert known["settings"]["trainer"] == {**trainer, "num_factors": 16}
    assert known["settings"]["gate"] == json.loads(to_json(CONFIG.gate))
    assert known["settings"].keys() == {"data", "trainer", "gate", "tuning", "bulk"}
    assert [(trial["trial"], trial["score"]) for trial in tuning["trials"]] == [(1, 0.6), (2, 0.7)]
    assert tuning["best_trial"] == 2 and tuning["chosen"] == {"num_factors": 16}
    assert tuning["metric"] == "ndcg_at_10"
    assert [trial["settings"] for trial in tuning["trials"]] == [
        {"num_factors": 8},
        {"num_factors": 16},
    ]


@pytest.fixture
def progress():
    """Of a run in which a first component has ended."""
    shown = Progress(io.StringIO(), live=False)
    shown.start("StatisticsGen")
    shown.finish("StatisticsGen", cached=False)
    return shown


def test_the_training_is_told_as_the_trainer_wrote_it(told, tmp_path, progress):
    history = {"epochs": [{"epoch": 1, "loss": 0.5}], "examples_per_second": 7.5}
    (tmp_path / "training.json").write_text(json.dumps(history))
    told.put("1", "Trainer", "model", "Model", "/model")
    told.put("1", "Trainer", "model_run", "ModelRun", str(tmp_path))
    known = summarise_stopped(CONFIG, told.deployment, progress)
    assert {key: known[key] for key in history} == history
    assert known["lineage"]["model"] == "/model"


@pytest.mark.parametrize("quarantined", [0, 2])
def test_the_data_are_told_with_their_counters(quarantined, told, progress):
    counters = {"rows": 9, "quarantined": quarantined, "span": 1, "version": 1, "is_external": 0}
    told.put(
        "1",
        "RatingsExampleGen",
        "examples",
        "Examples",
        "/e",
        input_fingerprint="f",
        read_as="a.csv: x\nb.csv: y",
        **counters,
    )
    known = summarise_stopped(CONFIG, told.deployment, progress)
    assert known["counters"] == {"rows": 9, "quarantined": quarantined}
    assert known["read_as"] == ["a.csv: x", "b.csv: y"]
    lineage = known["lineage"]
    assert (lineage["examples"], lineage["data_fingerprint"]) == ("/e", "f")
    assert known["quarantine"] == (quarantine_file("/e") if quarantined else None)


def test_a_spoilt_artifact_costs_the_summary_its_artifacts_alone(told, tmp_path, progress):
    told.put("1", "Trainer", "model", "Model", "/model")
    told.put("1", "Trainer", "model_run", "ModelRun", str(tmp_path / "missing"))
    known = summarise_stopped(CONFIG, told.deployment, progress)
    assert known["lineage"].keys() == {"code"} and known["seconds"].keys() == {"StatisticsGen"}


@pytest.mark.parametrize("component", [None, "StatisticsGen"])
def test_a_run_tells_of_artifacts_only_once_a_component_has_ended(deployment, component):
    progress = Progress(io.StringIO(), live=False)
    if component:
        progress.start(component)
        progress.finish(component, cached=False)
    progress.start("Transform")
    progress.fail()
    known = summarise_stopped(CONFIG, deployment, progress)
    assert known["stopped_in"] == "Transform" and known["pushed_model"] is None
    assert known["lineage"].get("statistics") == ("/before" if component else None)
    assert known["seconds"].keys() == {"Transform", *([component] if component else [])}
    assert known["cached"] == [] and known["blessed"] is False
