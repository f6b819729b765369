"""What steps on a cluster can read and write, and so where data and results may be."""

import dataclasses
import os
import re

from kubeflow.variables import ClusterEnvironment
from transforms.base.settings import check

# What TensorFlow and Beam open themselves, as they are in the image.
_BUCKET = re.compile("gs://[^/]")
# What Kubeflow's launcher carries artifacts from and to.
_STORE = re.compile("(gs|s3|minio)://[^/]")


@dataclasses.dataclass(frozen=True)
class Volume:
    """A volume that all steps share.

    Attributes:
        claim: Name of the persistent volume claim, which many nodes can write to at once.
        path: Where steps have it mounted.
    """

    claim: str
    path: str

    def holds(self, path: str) -> bool:
        """Returns whether a path is of something on the volume, as steps see it."""
        return f"{os.path.normpath(path)}/".startswith(f"{self.path}/")


@dataclasses.dataclass(frozen=True)
class Storage:
    """What the steps can open.

    Attributes:
        engine: "kubeflow" or "vertex".
        volume: Of all steps, or None; Vertex has none.
    """

    engine: str
    volume: Volume | None

    @classmethod
    def from_environment(cls, environment: ClusterEnvironment, engine: str) -> "Storage":
        """Returns what PIPELINE_VOLUME says, for one engine.

        Raises:
            UserError: Its value is not of the form that is expected.
        """
        text = environment.get("PIPELINE_VOLUME")
        return cls(engine, _volume(text) if text and engine == "kubeflow" else None)

    def check_data(self, name: str, uri: str) -> None:
        """Raises UserError unless an ExampleGen can read the data in `uri`.

        Args:
            name: The variable or parameter that says so.
            uri: The folder.
        """
        fits = is_bucket(uri) or (self.volume is not None and self.volume.holds(uri))
        check(
            fits, name, uri, f"gs://bucket/folder{self._or_folder()}: {self._nothing_else('read')}"
        )

    def check_root(self, name: str, uri: str) -> None:
        """Raises UserError unless artifacts can be in `uri`, and what steps keep there or beside.

        Args:
            name: The variable that says so.
            uri: The folder.
        """
        form = _STORE if self.volume else _BUCKET
        check(bool(form.match(uri)), name, uri, f"gs://bucket/folder{self._or_store()}")

    def home(self, root: str) -> str:
        """Returns the folder for what steps keep themselves, from one run to the next.

        Args:
            root: The pipeline's folder in what `check_root` lets pass.
        """
        if self.volume is None or is_bucket(root):
            return root
        return os.path.join(self.volume.path, os.path.basename(root))

    def _or_folder(self) -> str:
        if self.volume:
            return f" or a folder in {self.volume.path}, where steps have PIPELINE_VOLUME"
        return " or a folder in PIPELINE_VOLUME=claim:/path" if self.engine == "kubeflow" else ""

    def _or_store(self) -> str:
        if self.volume:
            return f", s3:// or minio://: {self._nothing_else('keep artifacts')}"
        if self.engine == "kubeflow":
            return (
                ", or s3:// or minio:// with PIPELINE_VOLUME=claim:/path: "
                f"{self._nothing_else('keep models')}"
            )
        return f": {self._nothing_else('write')}"

    def _nothing_else(self, use: str) -> str:
        return f"steps on {self.engine.title()} can {use} nowhere else"


def is_bucket(uri: str) -> bool:
    """Returns whether `uri` is in a bucket that any step or worker of a cluster can open."""
    return bool(_BUCKET.match(uri))


def _volume(text: str) -> Volume:
    claim, _, path = text.partition(":")
    check(
        bool(claim) and os.path.isabs(path) and os.path.normpath(path) != "/",
        "PIPELINE_VOLUME",
        text,
        "claim:/path, a persistent volume claim and where steps have it",
    )
    return Volume(claim, os.path.normpath(path))
