import pytest

from pipeline.config import Deployment, preset
from pipeline.fingerprint import CodeFingerprints
from pipeline.pipeline import create_pipeline
from pipeline.settings import apply_settings

CODE = CodeFingerprints(**dict.fromkeys(CodeFingerprints.__dataclass_fields__, "code"))


def nodes(pipeline, *settings, **changes):
    """The components of a pipeline by id."""
    deployment = Deployment(
        dataset="mine",
        input_base="data",
        pipeline_root="artifacts",
        serving_dir="serving",
        accepted_root="accepted",
        checkpoint_root="checkpoints",
        code=CODE,
        **changes,
    )
    config = apply_settings(preset(pipeline, "sample"), settings)
    return {node.id: node for node in create_pipeline(config, deployment).components}


@pytest.mark.parametrize("pipeline", ["ncf", "movielens", "census"])
def test_both_gates_know_where_to_look_and_what_to_compare(pipeline):
    found = nodes(pipeline)
    assert not any("Resolver" in name for name in found)
    gate, evaluator = found["DataGate"].exec_properties, found["Evaluator"].exec_properties
    assert gate["dataset"] == evaluator["dataset"] == "mine"
    assert gate["accepted_root"] == "accepted" and evaluator["serving_dir"] == "serving"
    assert evaluator["pipeline"] == pipeline


def test_accepting_drift_reaches_the_data_gate_and_evaluates_nothing_again():
    without, accepting = nodes("ncf"), nodes("ncf", "accept_drift=true")
    assert without["DataGate"].exec_properties["accept_drift"] == 0
    assert accepting["DataGate"].exec_properties["accept_drift"] == 1
    assert without["Evaluator"].exec_properties == accepting["Evaluator"].exec_properties


def test_an_engine_is_asked_for_what_changes_between_runs():
    found = nodes("movielens", run_time_parameters=True)
    asked = {
        parameter.name: parameter.default
        for node in found.values()
        for parameter in node.exec_properties.values()
        if hasattr(parameter, "ptype")
    }
    assert asked == {
        "data_root": "data",
        "dataset": "mine",
        "train_epochs": preset("movielens", "sample").trainer.train_epochs,
        "seed": 0,
        "accept_drift": 0,
        "max_rmse": 0.95,
    }
