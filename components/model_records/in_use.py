"""Which model of a serving folder is in use, and which a candidate is compared with."""

import dataclasses
import json
import os
import types
from collections.abc import Iterator
from typing import Any

from components.model_records.record import RECORD_FILE, Record
from transforms.base.digest import digest
from transforms.base.errors import UserError

_LOCAL = types.SimpleNamespace(open=open, exists=os.path.exists, listdir=os.listdir)


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """A whole model in a serving folder.

    Attributes:
        folder: Its SavedModel.
        identity: As `model_identity` gives it.
        record: Its record; None for one that another tool put there.
    """

    folder: str
    identity: str
    record: Record | None

    @property
    def name(self) -> str:
        """Version and identity: what a later record calls it."""
        return f"{self.version}:{self.identity}"

    @property
    def version(self) -> str:
        """Its version, a whole number; the greatest is in use."""
        return os.path.basename(self.folder)

    def origin(self) -> Record:
        """Returns its record.

        Raises:
            UserError: It has none.
        """
        if self.record is None:
            raise UserError(
                f"{self.folder}: no {RECORD_FILE} there tells what the model was made of; "
                "run the pipeline again, or put the record back"
            )
        return self.record


def versions(serving_dir: str) -> list[str]:
    """Returns the versions in a serving folder, of whole models or not, the newest first.

    A version is a whole number.

    Args:
        serving_dir: A local folder, gs:// or s3://; it need not be there.
    """
    files = _files(serving_dir)
    names = files.listdir(serving_dir) if files.exists(serving_dir) else []
    found = {name.rstrip("/") for name in names}
    return sorted(filter(str.isdecimal, found), key=int, reverse=True)


def served_models(serving_dir: str) -> Iterator[ServedModel]:
    """Yields the whole models, the newest first.

    Their `saved_model.pb` comes last, so that a push that was cut off has left none.

    Args:
        serving_dir: As for `versions`.
    """
    for version in versions(serving_dir):
        folder = os.path.join(serving_dir, version)
        if _files(folder).exists(os.path.join(folder, "saved_model.pb")):
            yield ServedModel(folder, model_identity(folder), _record(folder))


def model_in_use(serving_dir: str) -> ServedModel | None:
    """Returns the newest whole model, which is the one that a server answers with."""
    return next(served_models(serving_dir), None)


def find_baseline(serving_dir: str, candidate: str) -> tuple[str, ServedModel | None]:
    """Returns the name of what a candidate is compared with, "" for nothing, and the model.

    That is the model in use. Where the candidate itself is in use already, it is what the candidate
    was compared with before it was pushed, so that an unchanged run has an unchanged verdict; that
    one may be gone.

    Args:
        serving_dir: As for `versions`.
        candidate: The candidate's identity.
    """
    model = model_in_use(serving_dir)
    if model is None:
        return "", None
    if model.identity != candidate or model.record is None:
        return model.name, model
    parent = str(model.record["parent"])
    return parent, next((m for m in served_models(serving_dir) if m.name == parent), None)


def model_identity(folder: str) -> str:
    """Returns what tells a SavedModel from every other, copies of it excepted.

    TensorFlow writes a fingerprint of graph and weights beside a model; what has none is told by
    its graph alone.
    """
    files = _files(folder)
    path = os.path.join(folder, "fingerprint.pb")
    if not files.exists(path):
        path = os.path.join(folder, "saved_model.pb")
    with files.open(path, "rb") as file:
        return digest(file.read())


def _record(folder: str) -> Record | None:
    files, path = _files(folder), os.path.join(folder, RECORD_FILE)
    if not files.exists(path):
        return None
    with files.open(path) as file:
        record: Record = json.loads(file.read())
    return record


def _files(path: str) -> Any:
    """Returns what opens and lists files there: Python, where TFX need not be imported for it."""
    if "://" not in path:
        return _LOCAL
    from tfx.dsl.io import fileio

    return fileio
