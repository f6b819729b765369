"""Where the files of a data set come from: from an archive, one by one, or made on the spot."""

import functools
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from pipeline.datasets.download import download
from pipeline.datasets.fetch import Progress, RefusedError
from pipeline.datasets.folders import new_folder
from pipeline.datasets.unpack import ArchiveError, open_members, unpack_zip
from transforms.base.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a source needs to fill a folder.

    Attributes:
        folder: The folder to fill; its parents exist.
        shelves: Folders in which a file that a user put by hand may lie.
        allow_download: Whether the network may be used.
        progress: Called while a file is downloaded.
        warn: Takes one line about something that is odd, but no mistake.
    """

    folder: str
    shelves: tuple[str, ...]
    allow_download: bool
    progress: Progress
    warn: Callable[[str], None]


class SourceError(Exception):
    """An address brings no file.

    Attributes:
        cause: The address and what is wrong with it.
        by_hand: Where to put by hand what it should have brought.
    """

    def __init__(self, cause: str, by_hand: str):
        super().__init__(cause)
        self.cause = cause
        self.by_hand = by_hand


class Source(Protocol):
    """Where a data set's files come from."""

    def fill(self, request: Request) -> bool:
        """Brings the files; False when they could only be downloaded, and that is not allowed.

        Raises:
            SourceError: They cannot be downloaded.
            UserError: Something is wrong on the disk.
        """


def fill_from(sources: Sequence[Source], request: Request) -> bool:
    """Fills the folder from the first source that can, as `Source.fill` does.

    Raises:
        UserError: None can, and why; or something is wrong on the disk.
    """
    failed: list[SourceError] = []
    for source in sources:
        try:
            if source.fill(request):
                return True
        except SourceError as error:
            failed.append(error)
    if failed:
        causes = "; ".join(error.cause for error in failed)
        by_hand = ", or at ".join(dict.fromkeys(error.by_hand for error in failed))
        raise UserError(
            f"cannot download {os.path.basename(request.folder)}: {causes}; "
            f"try again, or put the data by hand at {by_hand}"
        ) from failed[-1]
    return False


@dataclass(frozen=True)
class ZipArchive:
    """A zip file on the network or, put there by hand, on a shelf.

    Attributes:
        url: Its address.
        members: Base names of the files to take out of it.
        pins: SHA-256 by file name, of the archive or of each member; none when it changes over
            time. An archive with other digests is refused, but used when it was put by hand.
        max_bytes: The most that its members may unpack to.
    """

    url: str
    members: tuple[str, ...]
    pins: Mapping[str, str]
    max_bytes: int

    def fill(self, request: Request) -> bool:
        """Unpacks the archive from the first shelf that has it, or downloads it first."""
        name = self.url.rsplit("/", 1)[-1]
        by_hand = [path for s in request.shelves if os.path.isfile(path := os.path.join(s, name))]
        if by_hand:
            archive = by_hand[0]
            if self.pins and (fault := self._find_fault(archive)):
                request.warn(f"{archive}: {fault}; using it")
        elif request.allow_download:
            archive = os.path.join(os.path.dirname(request.folder), name)
            _download(
                request,
                self.url,
                archive,
                find_fault=self._find_fault,
                pinned=bool(self.pins),
                by_hand=archive,
            )
        else:
            return False
        unpack_zip(archive, request.folder, self.members, self.max_bytes)
        return True

    def _find_fault(self, archive: str) -> str | None:
        name = self.url.rsplit("/", 1)[-1]
        if name in self.pins:
            return _compare(self.pins[name], archive)
        try:
            # Read to their end even without pins, since that compares their CRCs.
            with open_members(archive, self.members, self.max_bytes) as files:
                digests = {member: _sha256(file) for member, file in files}
        except ArchiveError as error:
            return str(error)
        for member, pin in self.pins.items():
            if digests[member] != pin:
                return f"{member} in it: {_differs(digests[member], pin)}"
        return None


@dataclass(frozen=True)
class Files:
    """Plain files on the network.

    Attributes:
        base_url: Their address, without the last part.
        pins: The SHA-256 of each, by file name.
    """

    base_url: str
    pins: Mapping[str, str]

    def fill(self, request: Request) -> bool:
        """Downloads the files, all of them or none."""
        if not request.allow_download:
            return False
        by_hand = " and ".join(os.path.join(request.folder, name) for name in self.pins)
        with new_folder(request.folder) as partial:
            for name, pin in self.pins.items():
                _download(
                    request,
                    f"{self.base_url}/{name}",
                    os.path.join(partial, name),
                    find_fault=functools.partial(_compare, pin),
                    pinned=True,
                    by_hand=by_hand,
                )
        return True


@dataclass(frozen=True)
class Generated:
    """Files made on the spot.

    Attributes:
        write: Writes them into the folder that it is given.
    """

    write: Callable[[str], None]

    def fill(self, request: Request) -> bool:
        """Generates the files."""
        with new_folder(request.folder) as partial:
            self.write(partial)
        return True


def _download(
    request: Request,
    url: str,
    destination: str,
    *,
    find_fault: Callable[[str], str | None],
    pinned: bool,
    by_hand: str,
) -> None:
    try:
        download(
            url,
            destination,
            find_fault=find_fault,
            pinned=pinned,
            progress=request.progress,
            warn=request.warn,
        )
    except RefusedError as error:
        raise SourceError(f"{url}: {error}", by_hand) from error


def _compare(pin: str, path: str) -> str | None:
    with open(path, "rb") as file:
        actual = _sha256(file)
    return None if actual == pin else _differs(actual, pin)


def _differs(actual: str, pin: str) -> str:
    return f"its SHA-256 begins with {actual[:12]}, not {pin[:12]} as published"


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
