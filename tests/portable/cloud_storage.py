"""Google Cloud Storage on this machine, as long as a test needs it."""

import contextlib
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from gcp_storage_emulator.server import create_server

BUCKET = "bucket"


@dataclass(frozen=True)
class CloudStorage:
    """A server with one bucket.

    Attributes:
        url: What STORAGE_EMULATOR_HOST says.
    """

    url: str

    def names(self) -> list[str]:
        """Returns the names of all objects."""
        return [item["name"] for item in json.loads(self._get("")).get("items", [])]

    def read(self, name: str) -> bytes:
        """Returns an object's content."""
        return self._get(f"/{urllib.parse.quote(name, safe='')}?alt=media")

    def _get(self, rest: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}/storage/v1/b/{BUCKET}/o{rest}") as response:
            return response.read()


@contextlib.contextmanager
def cloud_storage() -> Iterator[CloudStorage]:
    """Runs a server on a loopback port; it forgets all that it was given."""
    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    try:
        # The package does not tell which port it was given.
        yield CloudStorage(f"http://127.0.0.1:{server._api._httpd.server_port}")
    finally:
        server.stop()
