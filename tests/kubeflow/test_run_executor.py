import json
import os

import pytest
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

from components.data_gate.errors import DataGateError
from kubeflow import run_executor
from transforms.base.errors import UserError

EXAMPLES, MODEL = {"instanceSchema": "title: tfx.Examples"}, {"instanceSchema": "title: tfx.Model"}
ROOT = "{scheme}mlpipeline/v2/artifacts/run/Trainer/7"


class Step:
    """A Trainer's step, with TFX's own entry point replaced by `do`."""

    def __init__(self, folder, monkeypatch):
        self.mounts = str(folder)
        self.output_file = folder / "output_metadata.json"
        self.executor = "components.training.executor.TrainerExecutor"
        self.inputs = {}
        self.parameters = {}
        self.outputs = {"model": MODEL, "executor-logs": {"schemaTitle": "system.Artifact"}}
        self.do = lambda given: None
        monkeypatch.setattr(kubeflow_v2_run_executor, "main", self._tfx)

    def _tfx(self, parsed):
        args, self.beam_args = parsed
        self.given = json.loads(args.json_serialized_invocation_args)
        self.do(self.given)
        written = {
            key: {"artifacts": [{"uri": each["uri"], "metadata": {"current_model": each["uri"]}}]}
            for key, found in self.given["outputs"]["artifacts"].items()
            for each in found["artifacts"]
        }
        self.output_file.write_text(json.dumps({"artifacts": written}))

    def run(self, *beam_args, scheme="minio://"):
        root = ROOT.format(scheme=scheme)
        given = {
            "inputs": {
                "parameterValues": self.parameters,
                "artifacts": {
                    key: {"artifacts": [{"uri": f"{root}/{key}", "type": {"instanceSchema": ""}}]}
                    for key in self.inputs
                },
            },
            "outputs": {
                "artifacts": {
                    key: {"artifacts": [{"uri": f"{root}/{key}", "type": kind}]}
                    for key, kind in self.outputs.items()
                },
                "outputFile": str(self.output_file),
            },
        }
        declared = {"artifacts": {key: {"artifactType": k} for key, k in self.inputs.items()}}
        arguments = [
            *("--executor_class_path", self.executor),
            *("--json_serialized_invocation_args", json.dumps(given)),
            *("--json_serialized_inputs_spec_args", json.dumps(declared)),
        ]
        return run_executor.main([*arguments, *beam_args], self.mounts)

    def written(self):
        return json.loads(self.output_file.read_text())["artifacts"]


@pytest.fixture
def step(tmp_path, monkeypatch):
    return Step(tmp_path, monkeypatch)


def only(side, key):
    (artifact,) = side["artifacts"][key]["artifacts"]
    return artifact


@pytest.mark.parametrize(
    ("scheme", "folder"), [("minio://", "minio"), ("s3://", "s3"), ("gs://", "gcs")]
)
def test_tfx_gets_the_launchers_folders_and_the_backend_the_uris(step, scheme, folder):
    step.inputs = {"examples": EXAMPLES}
    assert step.run("--runner=FnApiRunner", scheme=scheme) == 0
    uri, local = (ROOT.format(scheme=s) for s in (scheme, f"{step.mounts}/{folder}/"))
    assert only(step.given["inputs"], "examples") == {"uri": f"{local}/examples", "type": EXAMPLES}
    assert only(step.given["outputs"], "model")["uri"] == f"{local}/model"
    assert os.path.isdir(f"{local}/model")
    assert step.written() == {
        "model": {
            "artifacts": [{"uri": f"{uri}/model", "metadata": {"current_model": f"{uri}/model"}}]
        }
    }
    assert "executor-logs" not in step.given["outputs"]["artifacts"]


def test_workers_on_other_machines_get_the_uris(step):
    step.inputs = {"examples": EXAMPLES}
    assert step.run("--runner=DataflowRunner", "--project=p", scheme="gs://") == 0
    uri = ROOT.format(scheme="gs://")
    assert only(step.given["inputs"], "examples") == {"uri": f"{uri}/examples", "type": EXAMPLES}
    assert only(step.given["outputs"], "model")["uri"] == f"{uri}/model"
    assert step.beam_args[-2:] == ["--runner=DataflowRunner", "--project=p"]


def test_an_example_gen_gets_what_was_found_of_its_input(step):
    found = {"span": 3, "input_fingerprint": "f"}
    step.outputs = {"examples": EXAMPLES}
    step.parameters = {
        "input_config": "{SPAN}/r",
        "resolved_input": {**found, "input_config": "3/r"},
    }
    assert step.run() == 0
    assert step.given["inputs"]["parameterValues"] == {"input_config": "3/r"}
    assert only(step.given["outputs"], "examples")["metadata"] == found


@pytest.mark.parametrize(
    ("error", "code"),
    [(UserError("a.csv:3: no"), 2), (DataGateError.of(["the data differ", "train: x"]), 4)],
)
def test_a_mistake_is_the_last_line_and_has_its_exit_code(step, capsys, error, code):
    def do(given):
        raise RuntimeError("the stack's own words") from error

    step.do = do
    assert step.run() == code
    assert capsys.readouterr().err.splitlines()[-1] == f"error: {error}"


def test_a_fault_keeps_its_traceback(step):
    def do(given):
        raise KeyError("x")

    step.do = do
    with pytest.raises(KeyError):
        step.run()


@pytest.mark.parametrize(
    ("reasons", "code", "told"),
    [
        ([], 0, ""),
        (["auc 0.5 is below 0.8", "b"], 3, "refused: auc 0.5 is below 0.8; b; nothing was pushed"),
    ],
)
def test_a_refused_model_fails_the_pushers_step(step, capsys, reasons, code, told):
    step.executor = "components.pusher.executor.PusherExecutor"
    step.inputs = {"model": MODEL, "model_blessing": {"instanceSchema": "title: tfx.ModelBlessing"}}

    def do(given):
        folder = only(given["inputs"], "model_blessing")["uri"]
        os.makedirs(folder)
        with open(os.path.join(folder, "record.json"), "w", encoding="utf-8") as file:
            json.dump({"reasons": reasons}, file)

    step.do = do
    assert step.run() == code
    assert capsys.readouterr().err.strip() == told
