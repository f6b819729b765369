"""The connection to Kubeflow Pipelines 2."""

import contextlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click
import kfp
from kfp.client import KF_PIPELINES_SA_TOKEN_ENV, ServiceAccountTokenVolumeCredentials
from kfp_server_api import ApiException
from urllib3.exceptions import HTTPError


class ServiceError(click.ClickException):
    """Kubeflow Pipelines refused a call or is not there; the tfx command ends with this line."""


def connect(
    endpoint: str | None, namespace: str = "kubeflow", client_id: str | None = None
) -> kfp.Client:
    """Returns a client of the API; kfp's own environment variables and files count, too.

    Args:
        endpoint: The address; None for what KF_PIPELINES_ENDPOINT or the cluster around say.
        namespace: Where Kubeflow Pipelines is installed, or a user's own where it has several.
        client_id: Of the proxy (IAP) that asks for an identity.

    Raises:
        ServiceError: It does not answer, or refuses.
    """
    credentials = None
    if os.environ.get(KF_PIPELINES_SA_TOKEN_ENV):
        credentials = ServiceAccountTokenVolumeCredentials()
    with service_errors(endpoint), warnings.catch_warnings():
        # That it speaks to Kubeflow Pipelines 2 alone.
        warnings.simplefilter("ignore", FutureWarning)
        return kfp.Client(
            host=endpoint or None,
            client_id=client_id or None,
            namespace=namespace,
            credentials=credentials,
        )


def stamped(pipeline: str) -> str:
    """Returns a name for a version or a run of a pipeline."""
    return f"{pipeline}-{time.strftime('%Y%m%d-%H%M%S')}"


def start_run(
    client: kfp.Client, pipeline: str, version: Any, parameters: Mapping[str, Any]
) -> Any:
    """Starts a run of a pipeline's version, as the service account SERVICE_ACCOUNT if it is set.

    Args:
        client: The API.
        pipeline: The pipeline's name, which is also that of its experiment.
        version: As the API describes it.
        parameters: Values of run-time parameters.
    """
    return client.run_pipeline(
        client.create_experiment(pipeline).experiment_id,
        stamped(pipeline),
        params=dict(parameters),
        pipeline_id=version.pipeline_id,
        version_id=version.pipeline_version_id,
        service_account=os.environ.get("SERVICE_ACCOUNT") or None,
    )


def pages(call: Callable[..., Any], **arguments: Any) -> Iterator[Any]:
    """Yields the pages of what a call of the client lists."""
    token = ""
    while True:
        page = call(page_token=token, page_size=100, **arguments)
        yield page
        token = page.next_page_token
        if not token:
            return


def experiment_ids(client: kfp.Client, pipeline: str) -> list[str]:
    """Returns the experiments that have a pipeline's name; none before its first run."""
    answer = client.list_experiments(filter=named(pipeline))
    return [each.experiment_id for each in answer.experiments or ()]


def named(name: str) -> str:
    """Returns the filter that lets nothing pass but what has this name."""
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    return json.dumps({"predicates": [predicate]})


def run_link(client: kfp.Client, run_id: str) -> str:
    """Returns the address of a run in the console, which a proxy may have elsewhere."""
    return f"{client._get_url_prefix().rstrip('/')}/#/runs/details/{run_id}"


@contextlib.contextmanager
def service_errors(endpoint: str | None) -> Iterator[None]:
    """Turns what a call raises into ServiceError, which names the address."""
    where = endpoint or "Kubeflow Pipelines"
    try:
        yield
    except ApiException as error:
        raise ServiceError(f"{where}: {_sentence(error)}") from error
    except (OSError, HTTPError) as error:
        raise ServiceError(f"{where}: {error}; is Kubeflow Pipelines there?") from error


def _sentence(error: ApiException) -> str:
    """Returns what the server says, which is in the body; the reason alone is "Bad Request"."""
    try:
        answer = json.loads(error.body)
        # Uploads are answered in another form.
        text = answer.get("message") or answer.get("error_message") or answer["error"]
        said = " ".join(text.split())
    except (TypeError, ValueError, KeyError, AttributeError):
        said = error.reason
    return f"{error.status} {said}"
