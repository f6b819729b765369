"""Data sets by name, and how their files come to be on disk."""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from components.data_files.download import Progress, download, fetch_md5, md5_of
from components.data_files.folders import exclusive, new_folder, writable
from components.data_files.unpack import unpack_zip
from transforms.checks import nearest
from transforms.errors import UserError

__all__ = ["Catalog", "Dataset", "Files", "Generated", "Request", "Source", "ZipArchive"]


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


class Source(Protocol):
    """Where a data set's files come from."""

    def fill(self, request: Request) -> bool:
        """Brings the files; False when they could only be downloaded, and that is not allowed."""


@dataclass(frozen=True)
class ZipArchive:
    """A zip file on the network or, put there by hand, on a shelf.

    Attributes:
        url: Its address; `<url>.md5` is asked for its MD5.
        md5: Its MD5 for when that is not to be had; None when the archive changes over time.
        members: Base names of the files to take out of it.
    """

    url: str
    md5: str | None
    members: tuple[str, ...]

    def fill(self, request: Request) -> bool:
        """Unpacks the archive from the first shelf that has it, or downloads it first."""
        name = self.url.rsplit("/", 1)[-1]
        by_hand = [path for s in request.shelves if os.path.isfile(path := os.path.join(s, name))]
        if by_hand:
            archive = by_hand[0]
            expected = self.md5 or (request.allow_download and fetch_md5(self.url + ".md5"))
            if not expected:
                request.warn(f"{archive}: not verified: its published MD5 is not known")
            elif (actual := md5_of(archive)) != expected:
                request.warn(f"{archive}: MD5 is {actual}, not {expected} as published; using it")
        elif request.allow_download:
            archive = os.path.join(os.path.dirname(request.folder), name)
            expected = fetch_md5(self.url + ".md5") or self.md5
            download(self.url, archive, md5=expected, progress=request.progress)
            if expected is None:
                request.warn(f"{archive}: not verified: its published MD5 is not to be had")
        else:
            return False
        unpack_zip(archive, request.folder, self.members)
        return True


@dataclass(frozen=True)
class Files:
    """Plain files on the network.

    Attributes:
        base_url: Their address, without the last part.
        md5: The MD5 of each, by file name.
    """

    base_url: str
    md5: Mapping[str, str]

    def fill(self, request: Request) -> bool:
        """Downloads the files that are not there yet."""
        if not request.allow_download:
            return False
        os.makedirs(request.folder, exist_ok=True)
        for name, md5 in self.md5.items():
            path = os.path.join(request.folder, name)
            if not os.path.exists(path):
                download(f"{self.base_url}/{name}", path, md5=md5, progress=request.progress)
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


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set that the project knows.

    Attributes:
        folder: Name of its folder in a data root.
        files: Names of the files without which it is not there.
        source: Where they come from.
    """

    folder: str
    files: tuple[str, ...]
    source: Source


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """The data sets of one kind.

    Attributes:
        datasets: Those that the project knows, by name.
        own: What a folder must hold to be a user's own data set: any one of these sets of files.
        shelf: Name of a folder in the data root in which data sets may lie as well.
    """

    datasets: Mapping[str, Dataset]
    own: tuple[tuple[str, ...], ...]
    shelf: str

    def ensure(
        self,
        name: str,
        data_root: str,
        *,
        work_dir: str,
        allow_download: bool = True,
        progress: Progress = lambda done, total: None,
        warn: Callable[[str], None] = lambda line: None,
    ) -> str:
        """Returns the folder that holds a data set's files, after bringing them if need be.

        They are looked for in `data_root`, in its `shelf`, and in `work_dir`. What is missing is
        brought to `data_root`, or to `work_dir` when that is read-only. Processes that want the
        same files wait for each other. A data root in object storage has to hold its files
        already, and is not looked at, except that generated files go to `work_dir` then.

        Args:
            name: A key of `datasets`, or the name of a folder with a user's own files.
            data_root: The user's data folder; created when missing.
            work_dir: A folder of ours.
            allow_download: Whether the network may be used.
            progress: Called while a file is downloaded.
            warn: Takes one line about something that is odd, but no mistake.

        Raises:
            UserError: The files are not there and may not, or cannot, be brought.
        """
        dataset = self.datasets.get(name)
        folder = dataset.folder if dataset else name
        if "://" in data_root:
            if not dataset or not isinstance(dataset.source, Generated):
                return f"{data_root.rstrip('/')}/{folder}"
            data_root = work_dir
        roots = (data_root, os.path.join(data_root, self.shelf), work_dir)
        places = [os.path.join(root, folder) for root in roots]
        alternatives = (dataset.files,) if dataset else self.own
        if found := _find(places, alternatives):
            return found
        if not dataset:
            files = " or ".join(" and ".join(files) for files in self.own)
            raise UserError(
                f"dataset={name!r}: is none of {', '.join(self.datasets)}"
                f"{nearest(name, self.datasets)}; a data set of your own needs {files} "
                f"in {places[0]}"
            )
        target = places[0] if writable(data_root) else places[-1]
        with exclusive(target):
            if found := _find(places, alternatives):
                return found
            filled = dataset.source.fill(
                Request(
                    folder=os.path.abspath(target),
                    shelves=roots,
                    allow_download=allow_download,
                    progress=progress,
                    warn=warn,
                )
            )
        if not filled:
            raise UserError(
                f"{places[0]}: holds no {' and '.join(dataset.files)}; put the data there, or "
                f"fetch it with: python -m pipeline download {name} --data-root {data_root}"
            )
        return target


def _find(places: Collection[str], alternatives: Collection[tuple[str, ...]]) -> str | None:
    for place in places:
        for files in alternatives:
            if all(os.path.isfile(os.path.join(place, file)) for file in files):
                return place
    return None
