"""Compiles a pipeline, hands it to Kubeflow or Vertex and starts a run, without the tfx command."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping

from pipeline.environment import Environment
from transforms.errors import UserError

__all__ = ["submit"]

# Run as files: an installed `kubeflow` of somebody else's must not be mistaken for ours.
_RUNNERS = pathlib.Path(__file__).parent.parent / "kubeflow"


def submit(
    pipeline: str,
    engine: str,
    settings: list[str],
    parameters: Mapping[str, str],
    endpoint: str | None,
) -> str:
    """Starts a run and returns its link.

    Args:
        pipeline: "ncf", "movielens" or "census".
        engine: "kubeflow" or "vertex".
        settings: `name=value` pairs that the pipeline is compiled with.
        parameters: Values of run-time parameters, such as `train_epochs`.
        endpoint: Kubeflow's address; None for Vertex.

    Raises:
        UserError: A variable or the endpoint is missing, the pipeline does not compile, a package
            is not installed, or the engine refuses the pipeline.
    """
    if engine == "kubeflow" and not endpoint:
        raise UserError("no endpoint: add --endpoint http://HOST:PORT of Kubeflow Pipelines")
    try:
        import kfp  # noqa: F401
    except ImportError:
        raise UserError("kfp is not installed: pip install 'tfx-recommenders[kubeflow]'") from None
    # Blanks separate the pairs, and mean nothing in a value.
    pairs = " ".join("".join(pair.split()) for pair in settings)
    variables = {**os.environ, "PIPELINE": pipeline, "SETTINGS": pairs}
    with tempfile.TemporaryDirectory() as folder:
        _compile(engine, folder, variables)
        if engine == "kubeflow":
            package = os.path.join(folder, f"{pipeline}.tar.gz")
            return _kubeflow(package, pipeline, parameters, str(endpoint))
        return _vertex(os.path.join(folder, "pipeline.json"), pipeline, parameters)


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


def _kubeflow(package: str, pipeline: str, parameters: Mapping[str, str], endpoint: str) -> str:
    from kfp import Client
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError

    stamp = time.strftime("%Y%m%d-%H%M%S")
    try:
        client = Client(host=endpoint)
        known = client.get_pipeline_id(pipeline)
        if known is None:
            version = client.upload_pipeline(package, pipeline_name=pipeline).default_version
        else:
            version = client.upload_pipeline_version(
                package, pipeline_version_name=f"{pipeline}-{stamp}", pipeline_id=known
            )
        experiment = client.create_experiment(pipeline)
        run = client.run_pipeline(
            experiment.id, f"{pipeline}-{stamp}", params=dict(parameters), version_id=version.id
        )
    except ApiException as error:
        raise UserError(f"{endpoint}: {error.status} {error.reason}") from error
    except (OSError, HTTPError) as error:
        raise UserError(f"{endpoint}: {error}; is Kubeflow Pipelines there?") from error
    return f"{endpoint.rstrip('/')}/#/runs/details/{run.id}"


def _vertex(job_file: str, pipeline: str, parameters: Mapping[str, str]) -> str:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import aiplatform

    environment = Environment(os.environ)
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
        raise UserError(f"Google Cloud: {error}; log in with gcloud auth login") from error
    except GoogleAPIError as error:
        raise UserError(f"Vertex Pipelines: {error}") from error
    return job._dashboard_uri()
