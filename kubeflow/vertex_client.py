"""The connection to Vertex AI, of which the environment says the project and the region."""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import NamedTuple

from kubeflow.variables import ClusterEnvironment
from transforms.base.errors import UserError


class Place(NamedTuple):
    """The arguments of the client's calls that say where."""

    project: str
    location: str


def place() -> Place:
    """Returns where the environment says.

    Raises:
        UserError: A variable is missing.
    """
    environment = ClusterEnvironment(os.environ)
    return Place(
        environment.required("GOOGLE_CLOUD_PROJECT"), environment.required("GOOGLE_CLOUD_REGION")
    )


@contextlib.contextmanager
def vertex_errors() -> Iterator[None]:
    """Turns what a call raises into UserError, in a line, and keeps the client's own lines back."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    logging.disable(logging.INFO)
    try:
        yield
    except GoogleAuthError as error:
        raise UserError(
            f"Google Cloud: {error}; log in with gcloud auth application-default login"
        ) from error
    except GoogleAPIError as error:
        raise UserError(f"Vertex Pipelines: {error}") from error
    finally:
        logging.disable(logging.NOTSET)
