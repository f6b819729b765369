"""A file on its way: its bytes so far, what they belong to, and its move into place in one step."""

import contextlib
import os
from collections.abc import Iterator
from typing import IO

from pipeline.datasets.folders import sync
from transforms.base.errors import UserError


class PartFile:
    """The bytes that are there of a file, in `<destination>.part`.

    Each method raises UserError when the disk cannot take the file.

    Attributes:
        destination: Path of the file once it is whole; its folder must exist.
        path: Path of the bytes that are there.
    """

    def __init__(self, destination: str):
        self.destination = destination
        self.path = destination + ".part"
        self._tag = self.path + ".tag"

    @property
    def size(self) -> int:
        """The bytes that are there; 0 when nothing is."""
        try:
            return os.path.getsize(self.path)
        except FileNotFoundError:
            return 0

    @property
    def tag(self) -> str:
        """What the server called the version that the bytes are of; empty when not known."""
        try:
            with open(self._tag, encoding="latin-1") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def restart(self, tag: str) -> None:
        """Drops the bytes that are there; those that follow are of the version `tag`."""
        self.forget()
        if tag:
            with self._disk(), open(self._tag, "w", encoding="latin-1") as file:
                file.write(tag)

    @contextlib.contextmanager
    def append(self) -> Iterator[IO[bytes]]:
        """Yields the file, open to be gone on with."""
        with self._disk(), open(self.path, "ab") as file:
            yield file

    def forget(self) -> None:
        """Removes all that is there."""
        with self._disk():
            for path in (self.path, self._tag):
                with contextlib.suppress(FileNotFoundError):
                    os.remove(path)

    def place(self) -> None:
        """Makes the bytes the file at `destination`, which a power cut leaves whole or absent."""
        with self._disk():
            sync(self.path)
            os.replace(self.path, self.destination)
            sync(os.path.dirname(os.path.abspath(self.destination)))
        self.forget()

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"{self.destination}: cannot write it ({error.strerror or error}); "
                "make room or choose another folder"
            ) from error
