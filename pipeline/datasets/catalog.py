"""Data sets by name, and how their files come to be on disk."""

import functools
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from pipeline.datasets.fetch import Progress
from pipeline.datasets.folders import exclusive, writable
from pipeline.datasets.sources import Generated, Request, Source, fill_from
from transforms.base.errors import UserError
from transforms.base.settings import nearest


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set that the project knows.

    Attributes:
        folder: Name of its folder in a data root.
        files: Names of the files without which it is not there.
        sources: Where they come from; the next is asked when one cannot bring them.
        alternatives: Sets of files any one of which is the data set as well.
        loose: Whether its files may lie in the data root itself, as no others are called so.
    """

    folder: str
    files: tuple[str, ...]
    sources: tuple[Source, ...]
    alternatives: tuple[tuple[str, ...], ...] = ()
    loose: bool = False


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

        They are looked for in `data_root`, in its `shelf`, and in `work_dir`; an archive also in
        the folder that they would be in, and beside `data_root`. What is missing is brought to
        `data_root`, or to `work_dir` when that is read-only or other files lie in the folder.
        Processes that want the same files wait for each other. A data root in object storage has
        to hold its files already, and is not looked at, except that generated files go to
        `work_dir` then.

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
            if not dataset or not isinstance(dataset.sources[0], Generated):
                return f"{data_root.rstrip('/')}/{folder}"
            data_root = work_dir
        roots = (data_root, os.path.join(data_root, self.shelf), work_dir)
        places = [os.path.join(root, folder) for root in roots]
        alternatives = (dataset.files, *dataset.alternatives) if dataset else self.own
        loose = [data_root] if dataset and dataset.loose else []
        if found := _find([*places, *loose], alternatives):
            return found
        if not dataset:
            files = " or ".join(" and ".join(files) for files in self.own)
            raise UserError(
                f"dataset={name!r}: is none of {', '.join(self.datasets)}"
                f"{nearest(name, self.datasets)}; a data set of your own needs {files} "
                f"in {places[0]}"
            )
        occupied = _is_occupied(places[0], dataset.files)
        target = places[-1] if occupied or not writable(data_root) else places[0]
        with exclusive(target):
            if found := _find(places, alternatives):
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
            files = " or ".join(" and ".join(files) for files in alternatives)
            raise UserError(
                f"{places[0]}: holds no {files}; put the data there, or "
                f"fetch it with: python -m pipeline download {name} --data-root {data_root}"
            )
        if occupied:
            warn(f"{places[0]}: holds other files and is left alone; the data are in {target}")
        return target


def _find(places: Collection[str], alternatives: Collection[tuple[str, ...]]) -> str | None:
    for place in places:
        for files in alternatives:
            if all(os.path.isfile(os.path.join(place, file)) for file in files):
                return place
    return None


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
