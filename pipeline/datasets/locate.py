"""Where a data set's files lie, after they were found, generated or downloaded."""

import sys
import time

from pipeline.datasets.catalog import Catalog

_SECONDS_BETWEEN_LINES = 5.0


class _DownloadProgress:
    """Prints how far a download is, at most every five seconds."""

    def __init__(self, dataset: str):
        self._dataset = dataset
        self._spoke = time.monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._spoke < _SECONDS_BETWEEN_LINES and done != total:
            return
        self._spoke = now
        of_total = f" of {total / 1e6:.1f}" if total else ""
        print(f"{self._dataset}: {done / 1e6:.1f}{of_total} MB", flush=True)


def locate(
    catalog: Catalog, dataset: str, data_root: str, work_dir: str, allow_download: bool
) -> str:
    """Returns the folder with the data set's raw files, bringing them there if need be.

    Args:
        catalog: The data sets of a pipeline.
        dataset: The name of one, or of a folder in `data_root` with files of the user's own.
        data_root: The folder that holds data sets.
        work_dir: Takes what must be written when `data_root` is read-only.
        allow_download: Whether missing files may be fetched.

    Raises:
        UserError: The files are not there and cannot be brought.
    """
    return catalog.ensure(
        dataset,
        data_root,
        work_dir=work_dir,
        allow_download=allow_download,
        progress=_DownloadProgress(dataset),
        warn=lambda line: print(f"warning: {line}", file=sys.stderr, flush=True),
    )
