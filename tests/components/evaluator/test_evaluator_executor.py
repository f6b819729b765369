import os

import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_model_analysis.proto import config_pb2
from tfx.components.evaluator import executor as tfx_executor
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.evaluator.executor import EvaluatorExecutor

CONFIG = {"eval_config": proto_utils.proto_to_json(config_pb2.EvalConfig())}
STRING, INT64 = types_pb2.DT_STRING, types_pb2.DT_INT64


def model(folder, **user_id):
    """A Model artifact whose `score`, if it has one, takes users of that type."""
    saved_model = saved_model_pb2.SavedModel()
    signatures = saved_model.meta_graphs.add().signature_def
    signatures["serving_default"].inputs["examples"].dtype = STRING
    for signature, kind in user_id.items():
        signatures[signature].inputs["user_id"].dtype = kind
    artifact = standard_artifacts.Model()
    artifact.uri = str(folder)
    os.makedirs(folder / "Format-Serving")
    (folder / "Format-Serving" / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    return artifact


@pytest.fixture
def given(monkeypatch):
    """The inputs that TFX's executor is given."""
    seen = {}
    monkeypatch.setattr(
        tfx_executor.Executor, "Do", lambda self, inputs, outputs, properties: seen.update(inputs)
    )
    return seen


@pytest.mark.parametrize(
    ("candidate", "baseline", "compared"),
    [
        ({"score": STRING}, {"score": STRING}, True),
        ({"score": STRING}, {"score": INT64}, False),
        ({"score": INT64}, {"score": STRING}, False),
        ({"score": STRING}, {}, True),
    ],
)
def test_only_a_model_of_the_same_types_is_a_baseline(
    candidate, baseline, compared, tmp_path, given
):
    inputs = {
        "model": [model(tmp_path / "candidate", **candidate)],
        "baseline_model": [model(tmp_path / "baseline", **baseline)],
        "examples": ["as they are"],
    }
    EvaluatorExecutor().Do(inputs, {}, CONFIG)
    assert given == {**inputs, "baseline_model": inputs["baseline_model"] if compared else []}


def test_no_baseline_is_none(tmp_path, given):
    EvaluatorExecutor().Do({"model": [model(tmp_path / "candidate")]}, {}, CONFIG)
    assert given["baseline_model"] == []
