"""Data sets by name, and how their files come to be on disk."""

import functools
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from pipeline.datasets.fetch import Progress
from pipeline.datasets.folders import exclusive, writable
from pipeline.datasets.sources import Generated, Request, Source, fill_from
from transforms.base.errors import UserError
from transforms.base.settings import nearest
from transforms.parsing.file_names import is_table

MADE_UP = "made up, under the licence of this project"
"""The licence of embedded samples."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set that the project knows.

    Attributes:
        folder: Name of its folder in a data root.
        files: Names of the files that are brought.
        sources: Where they come from; the next is asked when one cannot bring them.
        also: Other names that its folder has, such as that in its archive.
        loose: Whether its files may lie in the data root itself, as no others are called so.
        licence: What its publisher allows, in words that follow "NAME: ".
    """

    folder: str
    files: tuple[str, ...]
    sources: tuple[Source, ...]
    also: tuple[str, ...] = ()
    loose: bool = False
    licence: str = ""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """The data sets of one kind.

    Attributes:
        datasets: Those that the project knows, by name.
        own: Returns which files of a folder are a data set's, given the folder and the names of
            all, and those in the folders in it as `folder/name`; none if it is no data set.
        own_files: What `own` looks for, for messages.
        shelf: Name of a folder in the data root in which data sets may lie as well.
    """

    datasets: Mapping[str, Dataset]
    own: Callable[[str, Sequence[str]], list[str]]
    own_files: str
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
        """Returns the folder, or one file, of a data set, after bringing it if need be.

        They are looked for in `data_root`, in its `shelf`, and in `work_dir`; an archive also in
        the folder that they would be in, and beside `data_root`. What is missing is brought to
        `data_root`, or to `work_dir` when that is read-only or other files lie in the folder.
        Processes that want the same files wait for each other. A data root in object storage has
        to hold its files already, and is not looked at, except that generated files go to
        `work_dir` then.

        Args:
            name: A key of `datasets`, the name of a folder with a user's own files, or the path of
                such a folder or of one file.
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
        if not dataset and ("/" in name or is_table(name)):
            return self._own_path(name, data_root)
        if "://" in data_root:
            if not dataset or not isinstance(dataset.sources[0], Generated):
                return f"{data_root.rstrip('/')}/{folder}"
            data_root = work_dir
        roots = (data_root, os.path.join(data_root, self.shelf), work_dir)
        places = [os.path.join(root, folder) for root in roots]
        files = dataset.files if dataset else ()
        if dataset:
            places += [os.path.join(root, other) for root in roots for other in dataset.also]
            places += [data_root] * dataset.loose
        if found := self._find(places, files):
            return found
        if not dataset:
            raise UserError(
                f"dataset={name!r}: is none of {', '.join(self.datasets)}"
                f"{nearest(name, self.datasets)}; a data set of your own needs {self.own_files} "
                f"in {places[0]}"
            )
        occupied = _is_occupied(places[0], dataset.files)
        target = places[len(roots) - 1] if occupied or not writable(data_root) else places[0]
        with exclusive(target):
            if found := self._find(places, files):
                return found
            request = Request(
                folder=os.path.abspath(target),
                shelves=(*roots, places[0], os.path.dirname(os.path.abspath(data_root))),
                allow_download=allow_download,
                progress=progress,
                warn=functools.cache(warn),  # One bad certificate may stand before several files.
            )
            filled = fill_from(dataset.sources, request)
        if not filled:
            self.check_root(data_root)
            there = sorted(os.listdir(places[0]))[:3] if occupied else []
            but = f", but {', '.join(there)}" if there else ""
            raise UserError(
                f"{places[0]}: holds no {' and '.join(dataset.files)}{but}; put the data there, or "
                f"fetch it with: python -m pipeline download {name} --data-root {data_root}"
            )
        if occupied:
            warn(f"{places[0]}: holds other files and is left alone; the data are in {target}")
        return target

    def check_root(self, data_root: str) -> None:
        """Raises UserError, with how to name it, if a data root is a data set itself."""
        if own := self._files_in(data_root):
            parent, name = os.path.split(os.path.abspath(data_root))
            raise UserError(
                f"{data_root}: {own[0]} lies in the data root itself; take it with --data-root "
                f"{parent} --dataset {name}, or name another data set with --dataset"
            )

    def _own_path(self, name: str, data_root: str) -> str:
        """Returns the path that a user gave, as it is or from the data root on."""
        if "://" in f"{name}{data_root}":
            return name if "://" in name else f"{data_root.rstrip('/')}/{name}"
        for path in (name, os.path.join(data_root, name)):
            if os.path.isfile(path) and not is_table(path):
                raise UserError(
                    f"{path}: its name does not tell what it is; have it end in .csv, .tsv, .txt, "
                    ".dat or .parquet, and then in .gz or .zst if it is packed"
                )
            is_parts = is_table(path) and os.path.isdir(path)
            if os.path.isfile(path) or is_parts or self._files_in(path):
                return path
        raise UserError(
            f"dataset={name!r}: no such file, and no folder with {self.own_files}; mend the path"
        )

    def _find(self, places: Collection[str], files: Collection[str]) -> str | None:
        for place in places:
            whole = files and all(os.path.isfile(os.path.join(place, file)) for file in files)
            if whole or self._files_in(place):
                return place
        return None

    def _files_in(self, folder: str) -> list[str]:
        """Returns which files of a folder are a data set's."""
        names = []
        for entry in os.scandir(folder) if os.path.isdir(folder) else ():
            if entry.is_file():
                names.append(entry.name)
            elif entry.is_dir() and os.access(entry.path, os.R_OK | os.X_OK):
                names += [f"{entry.name}/{inside}" for inside in os.listdir(entry.path)]
        return self.own(folder, names)


def _is_occupied(folder: str, files: Collection[str]) -> bool:
    """Returns whether something else than the data set lies in its folder.

    Raises:
        UserError: A part of its files does, which may be the user's own.
    """
    names = os.listdir(folder) if os.path.isdir(folder) else []
    missing = [name for name in files if name not in names]
    if missing and len(missing) < len(files):
        raise UserError(
            f"{folder}: holds a part of the data set, and no {' and '.join(missing)}; put that "
            "there too, or move the folder away"
        )
    return bool(names and missing)
