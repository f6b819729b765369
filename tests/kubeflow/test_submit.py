import os
import re
import socket
import subprocess
import sys

import pytest
import yaml
from kfp_server_api import ApiException
from urllib3.exceptions import HTTPError

from kubeflow.follow_run import follow_run
from kubeflow.tfx_cli.tfx_kubeflow_client import ServiceError, connect, service_errors
from pipeline.cli.main import main
from tests.kubeflow.compiled import ENVIRONMENT
from tests.kubeflow.container import Ended
from tests.kubeflow.kfp_player import Run
from tests.kubeflow.kfp_server import kfp_server


@pytest.fixture
def variables(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def said(capsys, *arguments):
    capsys.readouterr()
    code = main(["submit", "census", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.slow
def test_kubeflow_gets_a_pipeline_then_a_version_and_a_run_of_each(capsys, variables):
    variables.setenv("SETTINGS", "batch_size=320 seed=5")
    with kfp_server() as server:
        kubeflow = ["--engine", "kubeflow", "--endpoint", server.url]
        more = ["--set", "preset=wide_deep_2018", "--set", "seed=7"]
        more += ["--parameter", "train_epochs=3"]
        for run in ("runs-1", "runs-2"):
            code, out, _ = said(capsys, *kubeflow, *more)
            assert code == 0 and out == f"census: {server.url}/#/runs/details/{run}\n"
        spec, *_ = yaml.safe_load_all(server.packages["versions-2"])
        assert spec["root"]["inputDefinitions"]["parameters"]["seed"]["defaultValue"] == 7
        assert re.search(r"batch_size\W+320\b", str(spec["root"]["dag"]["tasks"]["Trainer"]))
        assert len(server.packages) == 2 and len(server.pipelines) == 1
        versions = [run["pipeline_version_reference"] for run in server.runs.values()]
        assert [each["pipeline_version_id"] for each in versions] == ["versions-1", "versions-2"]
        for run in server.runs.values():
            assert run["runtime_config"]["parameters"] == {"train_epochs": 3}


def test_settings_of_the_environment_hold_and_set_counts_more(capsys, monkeypatch):
    monkeypatch.setenv("SETTINGS", "preset=wide_deep_2018 train_epochs=0")
    refused = [], ["--set", "train_epochs=-1"], ["--set", "train_epochs=1", "--set", "preset=no"]
    told = "train_epochs=0: must be", "train_epochs=-1: must be", "preset='no': must be"
    for more, line in zip(refused, told, strict=True):
        code, _, err = said(capsys, "--engine", "vertex", *more)
        assert code == 2 and err.startswith(f"error: {line}")


@pytest.mark.slow
@pytest.mark.usefixtures("variables")
def test_what_the_server_says_is_one_line(capsys):
    with kfp_server() as server:
        kubeflow = ["--engine", "kubeflow", "--endpoint", server.url]
        code, out, err = said(capsys, *kubeflow, "--parameter", "epochs=3")
    assert code == 2 and out == "" and err.count("\n") == 1
    told = "400 parameter epochs of '3' is not what the pipeline declares"
    assert err == f"error: {server.url}: {told}\n"


def test_what_the_server_says_of_an_upload_is_told(tmp_path):
    package = tmp_path / "census.yaml"
    package.write_text("schemaVersion: 2.0.0\n")
    with kfp_server() as server:
        client = connect(server.url)
        told = re.escape("400 KFP only supports schema version 2.1.0")
        with pytest.raises(ServiceError, match=told), service_errors(server.url):
            client.upload_pipeline(str(package), pipeline_name="census")


class Played:
    """What the steps of a run said and how they ended, without any being run."""

    def __init__(self, **ended):
        self.ended = {
            name: Ended(name, code, f"step {name}\n{said}\n")
            for name, (code, said) in ended.items()
        }

    def run(self, package, parameters):
        return Run(cached=["CensusExampleGen"], ended=self.ended)


VERDICT = "I1 executor.py:1] verdict:   auc  0.91  >= 0.8 (min_auc)  kept\nI1 executor.py:1] other"


def started(server):
    """Starts a run and returns the connection and the run's id."""
    server.upload("census", b"schemaVersion: 2.1.0\nroot: {}\n")
    client = connect(server.url)
    run = client.run_pipeline(
        client.create_experiment("census").experiment_id,
        "census-1",
        pipeline_id="pipelines-1",
        version_id="versions-1",
    )
    return client, run.run_id


@pytest.mark.parametrize(
    ("ended", "code", "told"),
    [
        ({"Evaluator": (0, VERDICT), "Pusher": (0, "pushed")}, 0, ["auc  0.91  >= 0.8 (min_auc)"]),
        (
            {"Evaluator": (0, VERDICT), "Pusher": (3, "refused: auc is low; nothing was pushed")},
            3,
            ["auc  0.91  >= 0.8 (min_auc)", "refused: auc is low; nothing was pushed"],
        ),
        ({"DataGate": (4, "error: the data differ")}, 4, ["error: the data differ"]),
        ({"Transform": (2, "error: a.csv:3: no")}, 2, ["error: a.csv:3: no"]),
        ({"Trainer": (1, "Traceback\nKeyError: 1")}, 1, ["fault in Trainer: see its log"]),
    ],
)
def test_a_run_that_is_followed_ends_as_one_on_this_machine(ended, code, told):
    with kfp_server() as server:
        server.play = Played(**ended).run
        client, run = started(server)
        lines = []
        assert follow_run(client, run, lines.append, poll=0) == code
    steps, verdict = lines[: len(ended) + 1], lines[len(ended) + 1 :]
    assert [line.split()[0] for line in steps] == ["CensusExampleGen", *ended]
    assert [line.strip().removesuffix("  kept") for line in verdict] == told


def test_a_run_that_was_stopped_is_told_from_one_that_failed():
    with kfp_server() as server:
        client, run = started(server)
        client.terminate_run(run)
        lines = []
        assert follow_run(client, run, lines.append, poll=0) == 130
        assert lines == ["the run was stopped"]
        del server.runs[run]["state_history"]
        assert follow_run(client, run, lines.append, poll=0) == 1
        assert lines[1].startswith("the run failed outside of its steps: ")


def test_a_server_that_is_away_for_a_while_is_waited_for(monkeypatch):
    with kfp_server() as server:
        server.play = Played(Pusher=(0, "pushed")).run
        client, run = started(server)
        answer, faults = client.get_run, [ApiException(status=503), ConnectionError(), HTTPError()]

        def get_run(run_id):
            if faults:
                raise faults.pop()
            return answer(run_id)

        monkeypatch.setattr(client, "get_run", get_run)
        assert follow_run(client, run, lambda line: None, poll=0) == 0
        faults.append(ApiException(status=404))
        with pytest.raises(ApiException):
            follow_run(client, run, lambda line: None, poll=0)


@pytest.mark.slow
def test_vertex_gets_the_job_as_the_account(variables):
    from tests.kubeflow.vertex_endpoint import CLIENT_PRELUDE, vertex_endpoint

    variables.setenv("GOOGLE_CLOUD_PROJECT", "a-project")
    variables.setenv("GOOGLE_CLOUD_REGION", "europe-west4")
    variables.setenv("SERVICE_ACCOUNT", "runner@a-project.example")
    program = f"{CLIENT_PRELUDE}\nimport sys\nfrom pipeline.cli.main import main\nsys.exit(main())"
    arguments = ["submit", "census", "--engine", "vertex", "--parameter", "min_accuracy=0.8"]
    with vertex_endpoint() as endpoint:
        variables.setenv("VERTEX_PORT", str(endpoint.port))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, *arguments],
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    (request,) = endpoint.requests
    assert request.parent == "projects/a-project/locations/europe-west4"
    assert request.pipeline_job.service_account == "runner@a-project.example"
    assert request.pipeline_job.runtime_config.parameters["min_accuracy"].double_value == 0.8
    assert (
        "/locations/europe-west4/pipelines/runs/" in done.stdout
        and "project=a-project" in done.stdout
    )


def test_a_mistake_before_anything_is_compiled_is_one_line(capsys):
    cases = [
        (["--engine", "kubeflow"], "no endpoint: add --endpoint"),
        (["--engine", "vertex", "--set", "epochs=3"], "census has no setting 'epochs'"),
        (["--engine", "vertex", "--parameter", "seed"], "--parameter seed: must be name=value"),
        (["--engine", "vertex", "--parameter", "min_accuracy=0.1"], "must be above 0.764"),
        (
            ["--engine", "vertex", "--parameter", "data_root=s3://b/d"],
            "data_root='s3://b/d': must be gs://bucket/folder: steps on Vertex can read nowhere",
        ),
        (
            ["--engine=kubeflow", "--endpoint=http://h:1", "--parameter", "data_root=data"],
            "data_root='data': must be gs://bucket/folder or a folder in PIPELINE_VOLUME=claim:/",
        ),
    ]
    for arguments, told in cases:
        code, out, err = said(capsys, *arguments)
        assert code == 2 and out == ""
        assert err.startswith("error: ") and told in err and err.count("\n") == 1


@pytest.mark.slow
def test_a_missing_variable_is_one_line(capsys, variables):
    variables.delenv("PIPELINE_IMAGE")
    code, _, err = said(capsys, "--engine", "vertex")
    assert code == 2 and err.startswith("error: PIPELINE_IMAGE is not set") and err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("variables")
def test_an_endpoint_where_nobody_listens_is_one_line(capsys):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        code, _, err = said(capsys, "--engine", "kubeflow", "--endpoint", endpoint)
    assert code == 2 and endpoint in err and "is Kubeflow Pipelines there?" in err
    assert not os.path.exists("census.yaml")
