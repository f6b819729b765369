"""Compiles a pipeline, hands it to Kubeflow or Vertex and starts a run, without the tfx command."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from kubeflow.storage import Storage
from kubeflow.variables import ClusterEnvironment
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
    wait: bool,
) -> ExitCode:
    """Starts a run and tells its link.

    Args:
        pipeline: The pipeline's name.
        engine: "kubeflow" or "vertex".
        settings: `name=value` pairs that the pipeline is compiled with.
        parameters: Values of run-time parameters, such as 3 for `train_epochs`.
        endpoint: Kubeflow's address; None for Vertex.
        tell: Takes lines for the user.
        wait: Whether to follow the run on Kubeflow to its end, and tell how it ended.

    Returns:
        How the run ended; 0 for one that was only started.

    Raises:
        UserError: A variable or the endpoint is missing, the pipeline does not compile, or the
            engine refuses it.
    """
    if engine == "kubeflow" and not endpoint:
        raise UserError("no endpoint: add --endpoint http://HOST:PORT of Kubeflow Pipelines")
    if engine == "vertex" and wait:
        raise UserError("--wait: follows runs on Kubeflow; leave it out, and open the link")
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
            return _kubeflow(package, pipeline, parameters, str(endpoint), tell, wait)
        link = _vertex(os.path.join(folder, "pipeline.json"), pipeline, parameters)
        tell(f"{pipeline}: {link}")
        return ExitCode.SUCCESS


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
) -> ExitCode:
    from kubeflow.follow_run import follow_run
    from kubeflow.tfx_cli import tfx_kubeflow_client as api

    try:
        client = api.connect(endpoint)
        # kfp prints a link for each of its steps.
        with api.service_errors(endpoint), contextlib.redirect_stdout(io.StringIO()):
            known = client.get_pipeline_id(pipeline)
            if known is None:
                known = client.upload_pipeline(package, pipeline_name=pipeline).pipeline_id
                (version,) = client.list_pipeline_versions(known, page_size=1).pipeline_versions
            else:
                name = api.stamped(pipeline)
                version = client.upload_pipeline_version(package, name, pipeline_id=known)
            run = api.start_run(client, pipeline, version, parameters)
        tell(f"{pipeline}: {api.run_link(client, run.run_id)}")
        if not wait:
            return ExitCode.SUCCESS
        with api.service_errors(endpoint):
            return follow_run(client, run.run_id, tell)
    except api.ServiceError as error:
        raise UserError(str(error)) from error


def _vertex(job_file: str, pipeline: str, parameters: Mapping[str, Any]) -> str:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import aiplatform

    environment = ClusterEnvironment(os.environ)
    try:
        job = aiplatform.PipelineJob(
            display_name=pipeline,
            template_path=job_file,
            parameter_values=dict(parameters),
            project=environment.required("GOOGLE_CLOUD_PROJECT"),
            location=environment.required("GOOGLE_CLOUD_REGION"),
        )
        job.submit(service_account=environment.get("SERVICE_ACCOUNT") or None)
    except GoogleAuthError as error:
        raise UserError(
            f"Google Cloud: {error}; log in with gcloud auth application-default login"
        ) from error
    except GoogleAPIError as error:
        raise UserError(f"Vertex Pipelines: {error}") from error
    return job._dashboard_uri()
