"""Compiles a pipeline, hands it to Kubeflow or Vertex and starts runs, without the tfx command."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kubeflow.schedules import (
    Schedule,
    check_cron,
    schedule_on_kubeflow,
    schedule_on_vertex,
    schedules_on_kubeflow,
    schedules_on_vertex,
    stop_on_vertex,
)
from kubeflow.storage import Storage
from kubeflow.variables import ClusterEnvironment
from kubeflow.vertex_client import place, vertex_errors
from pipeline.exit_code import ExitCode
from transforms.base.errors import UserError

# Run as files: an installed `kubeflow` of somebody else's must not be mistaken for ours.
_RUNNERS = pathlib.Path(__file__).parent


def submit(
    pipeline: str,
    engine: str,
    settings: list[str],
    parameters: Mapping[str, Any],
    endpoint: str | None,
    tell: Callable[[str], None],
    wait: bool = False,
    cron: str | None = None,
) -> ExitCode:
    """Starts a run and tells its link, or makes a schedule of runs and tells that.

    Args:
        pipeline: The pipeline's name.
        engine: "kubeflow" or "vertex".
        settings: `name=value` pairs that the pipeline is compiled with.
        parameters: Values of run-time parameters, such as 3 for `train_epochs`.
        endpoint: Kubeflow's address; None for Vertex.
        tell: Takes lines for the user.
        wait: Whether to follow the run on Kubeflow to its end, and tell how it ended.
        cron: When runs are to start, in five fields, UTC; None starts one now.

    Returns:
        How the run ended; 0 for what was only started.

    Raises:
        UserError: A variable or the endpoint is missing, the pipeline does not compile, or the
            engine refuses it.
    """
    _check_endpoint(engine, endpoint)
    if wait and (engine == "vertex" or cron is not None):
        raise UserError("--wait: follows one run on Kubeflow; leave it out, and open the link")
    cron = None if cron is None else check_cron(cron)
    if "data_root" in parameters:
        storage = Storage.from_environment(ClusterEnvironment(os.environ), engine)
        storage.check_data("data_root", parameters["data_root"])
    # Blanks separate the pairs, and mean nothing in a value.
    pairs = " ".join("".join(pair.split()) for pair in settings)
    variables = {**os.environ, "PIPELINE": pipeline, "SETTINGS": pairs}
    with tempfile.TemporaryDirectory() as folder:
        _compile(engine, folder, variables)
        if engine == "kubeflow":
            package = os.path.join(folder, f"{pipeline}.yaml")
            return _kubeflow(package, pipeline, parameters, str(endpoint), tell, wait, cron)
        job_file = os.path.join(folder, "pipeline.json")
        tell(f"{pipeline}: {_vertex(job_file, pipeline, parameters, cron)}")
        return ExitCode.SUCCESS


def list_schedules(pipeline: str, engine: str, endpoint: str | None) -> list[Schedule]:
    """Returns the schedules of a pipeline.

    Args:
        pipeline: The pipeline's name.
        engine: As for `submit`.
        endpoint: As for `submit`.

    Raises:
        UserError: A variable or the endpoint is missing, or the engine refuses.
    """
    _check_endpoint(engine, endpoint)
    if engine == "vertex":
        return schedules_on_vertex(pipeline)
    with _connected(str(endpoint)) as client:
        return list(schedules_on_kubeflow(client, pipeline))


def stop_schedule(name: str, engine: str, endpoint: str | None) -> None:
    """Has a schedule start no more runs; those that it started go on.

    Args:
        name: As `list_schedules` tells it.
        engine: As for `submit`.
        endpoint: As for `submit`.

    Raises:
        UserError: There is no such schedule; a variable or the endpoint is missing.
    """
    _check_endpoint(engine, endpoint)
    if engine == "vertex":
        stop_on_vertex(name)
        return
    with _connected(str(endpoint)) as client:
        # It stays, and the console can start it again.
        client.disable_recurring_run(name)


def _check_endpoint(engine: str, endpoint: str | None) -> None:
    if engine == "kubeflow" and not endpoint:
        raise UserError("no endpoint: add --endpoint http://HOST:PORT of Kubeflow Pipelines")


def _compile(engine: str, folder: str, variables: Mapping[str, str]) -> None:
    runner = _RUNNERS / f"{engine}_runner.py"
    done = subprocess.run(
        [sys.executable, str(runner)], cwd=folder, env=variables, capture_output=True, text=True
    )
    if done.returncode:
        last_line = (done.stderr.strip().splitlines() or ["no output"])[-1]
        if last_line.startswith("error: "):
            raise UserError(last_line.removeprefix("error: "))
        raise RuntimeError(f"{runner.name} failed:\n{done.stderr}")


def _kubeflow(
    package: str,
    pipeline: str,
    parameters: Mapping[str, Any],
    endpoint: str,
    tell: Callable[[str], None],
    wait: bool,
    cron: str | None,
) -> ExitCode:
    from kubeflow.follow_run import follow_run
    from kubeflow.tfx_cli import tfx_kubeflow_client as api

    with _connected(endpoint) as client:
        # kfp prints a link for each of its steps.
        with contextlib.redirect_stdout(io.StringIO()):
            known = client.get_pipeline_id(pipeline)
            if known is None:
                known = client.upload_pipeline(package, pipeline_name=pipeline).pipeline_id
                (version,) = client.list_pipeline_versions(known, page_size=1).pipeline_versions
            else:
                name = api.stamped(pipeline)
                version = client.upload_pipeline_version(package, name, pipeline_id=known)
            if cron:
                made = schedule_on_kubeflow(client, pipeline, version, parameters, cron)
            else:
                run = api.start_run(client, pipeline, version, parameters)
        if cron:
            tell(f"{pipeline}: {made}")
            return ExitCode.SUCCESS
        tell(f"{pipeline}: {api.run_link(client, run.run_id)}")
        return follow_run(client, run.run_id, tell) if wait else ExitCode.SUCCESS


@contextlib.contextmanager
def _connected(endpoint: str) -> Iterator[Any]:
    """Yields a client of Kubeflow; what goes wrong with it is a UserError."""
    from kubeflow.tfx_cli import tfx_kubeflow_client as api

    try:
        client = api.connect(endpoint)
        with api.service_errors(endpoint):
            yield client
    except api.ServiceError as error:
        raise UserError(str(error)) from error


def _vertex(
    job_file: str, pipeline: str, parameters: Mapping[str, Any], cron: str | None
) -> str | Schedule:
    from google.cloud import aiplatform

    account = ClusterEnvironment(os.environ).get("SERVICE_ACCOUNT") or None
    project, location = place()
    with vertex_errors():
        job = aiplatform.PipelineJob(
            display_name=pipeline,
            template_path=job_file,
            parameter_values=dict(parameters),
            project=project,
            location=location,
        )
        if cron:
            return schedule_on_vertex(job, pipeline, account, cron)
        job.submit(service_account=account)
    return job._dashboard_uri()
