import os
import subprocess
import sys

import pytest

from kubeflow.schedules import check_cron, schedule_on_kubeflow, schedules_on_kubeflow
from kubeflow.tfx_cli.tfx_kubeflow_client import connect
from pipeline.cli.main import main
from tests.kubeflow.compiled import ENVIRONMENT
from tests.kubeflow.kfp_server import kfp_server
from transforms.base.errors import UserError

PACKAGE = b"""
schemaVersion: 2.1.0
root:
  inputDefinitions:
    parameters:
      train_epochs:
        parameterType: NUMBER_INTEGER
"""


def scheduled(server, cron="0 3 * * *", pipeline="census"):
    """Makes a schedule of a new pipeline and returns the client and what it is."""
    uploaded = server.upload(pipeline, PACKAGE)
    client = connect(server.url)
    (version,) = client.list_pipeline_versions(uploaded["pipeline_id"]).pipeline_versions
    return client, schedule_on_kubeflow(client, pipeline, version, {"train_epochs": 3}, cron)


def said(capsys, *arguments):
    capsys.readouterr()
    code = main(["submit", "census", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_kubeflow_gets_a_recurring_run_that_does_not_catch_up(monkeypatch):
    monkeypatch.setenv("SERVICE_ACCOUNT", "runner")
    with kfp_server() as server:
        _, made = scheduled(server)
        (record,) = server.recurringruns.values()
        assert not server.unknown and not server.started
    assert str(made) == "recurringruns-1  active  0 3 * * *  train_epochs=3"
    assert record["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * *"
    assert record["no_catchup"] is True and record["mode"] == "ENABLE"
    assert record["max_concurrency"] == 1 and record["service_account"] == "runner"
    assert record["runtime_config"]["parameters"] == {"train_epochs": 3}
    reference = record["pipeline_version_reference"]
    assert reference == {"pipeline_id": "pipelines-1", "pipeline_version_id": "versions-1"}


def test_schedules_are_listed_on_all_pages_and_one_is_stopped(capsys):
    with kfp_server() as server:
        kubeflow = ["--engine", "kubeflow", "--endpoint", server.url]
        assert said(capsys, *kubeflow, "--list-schedules") == (0, "", "")
        for hour in range(5):
            client, _ = scheduled(server, f"0 {hour} * * *")
        scheduled(server, pipeline="ncf")
        code, out, err = said(capsys, *kubeflow, "--stop-schedule", "recurringruns-3")
        assert (code, out, err) == (0, "census: schedule recurringruns-3 is stopped\n", "")
        code, out, _ = said(capsys, *kubeflow, "--list-schedules")
        assert code == 0 and out.splitlines() == [
            f"recurringruns-{hour + 1}  {'stopped' if hour == 2 else 'active'}  "
            f"0 {hour} * * *  train_epochs=3"
            for hour in range(5)
        ]
        assert len([*schedules_on_kubeflow(client, "ncf")]) == 1
        code, out, err = said(capsys, *kubeflow, "--stop-schedule", "other")
        assert (code, out) == (2, "") and err == f"error: {server.url}: 404 other not found\n"
        # Looking makes nothing.
        assert len(server.experiments) == 2 and not server.unknown


def test_five_fields_are_asked_for_before_anything_else(capsys):
    assert check_cron(" */5  3 * 1-2 MON ") == "*/5 3 * 1-2 MON"
    for cron in ("", "0 3 * *", "0 0 3 * * *", "@daily"):
        with pytest.raises(UserError, match="must have five fields"):
            check_cron(cron)
        code, out, err = said(capsys, "--engine", "vertex", "--schedule", cron)
        assert (code, out) == (2, "") and err.startswith(f"error: --schedule {cron!r}: must have")
        assert err.count("\n") == 1
    kubeflow = ["--engine", "kubeflow", "--endpoint", "http://h:1", "--wait"]
    code, _, err = said(capsys, *kubeflow, "--schedule", "0 3 * * *")
    assert code == 2 and err.startswith("error: --wait: follows one run")
    code, _, err = said(capsys, *kubeflow[:2], "--list-schedules")
    assert code == 2 and err.startswith("error: no endpoint: add --endpoint")


@pytest.mark.slow
def test_submit_makes_a_schedule_on_kubeflow(capsys, monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with kfp_server() as server:
        kubeflow = ["--engine", "kubeflow", "--endpoint", server.url, "--schedule", "0  3 * * 1"]
        code, out, _ = said(capsys, *kubeflow, "--parameter", "train_epochs=3")
        assert code == 0
        assert out == "census: recurringruns-1  active  0 3 * * 1  train_epochs=3\n"
        code, _, err = said(capsys, *kubeflow[:-1], "0 3 * * no")
        assert code == 2 and "400 Schedule cron is not supported" in err
        assert not server.started and not server.unknown


@pytest.mark.slow
def test_vertex_gets_a_schedule_lists_it_and_stops_it(monkeypatch):
    from tests.kubeflow.vertex_endpoint import CLIENT_PRELUDE, vertex_endpoint

    more = {"GOOGLE_CLOUD_PROJECT": "a-project", "GOOGLE_CLOUD_REGION": "europe-west4"}
    account = "runner@a-project.example"
    program = f"{CLIENT_PRELUDE}\nimport sys\nfrom pipeline.cli.main import main\nsys.exit(main())"

    def vertex(*arguments):
        command = [sys.executable, "-W", "ignore", "-c", program, "submit", "census"]
        done = subprocess.run(
            [*command, "--engine", "vertex", *arguments],
            capture_output=True,
            text=True,
            env={
                **os.environ,
                **ENVIRONMENT,
                **more,
                "SERVICE_ACCOUNT": account,
                "VERTEX_PORT": str(endpoint.port),
            },
        )
        return done.returncode, done.stdout, done.stderr

    with vertex_endpoint() as endpoint:
        code, out, err = vertex("--schedule", "0 3 * * *", "--parameter", "min_accuracy=0.8")
        assert code == 0, err
        assert out.startswith("census: 1  active  0 3 * * *  accept_drift=0  data_root=gs://")
        assert out.count("\n") == 1 and "  min_accuracy=0.8  " in out
        ((name, made),) = endpoint.schedules.items()
        assert name == "projects/a-project/locations/europe-west4/schedules/1"
        job = made.create_pipeline_job_request.pipeline_job
        assert job.service_account == account and made.max_concurrent_run_count == 1
        assert job.runtime_config.parameters["min_accuracy"].double_value == 0.8
        assert vertex("--stop-schedule", "1")[:2] == (0, "census: schedule 1 is stopped\n")
        listed = out.removeprefix("census: ").replace("active", "stopped")
        assert vertex("--list-schedules")[:2] == (0, listed)
        code, _, err = vertex("--stop-schedule", "2")
        assert code == 2 and err.startswith("error: Vertex Pipelines: 404 ")
    assert not endpoint.requests
