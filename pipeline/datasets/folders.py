"""Folders that are either not there or whole, whatever was killed, and whoever else is at it."""

import contextlib
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator

from transforms.base.errors import UserError


def writable(folder: str) -> bool:
    """Whether `folder`, or the nearest of its parents that exists, may be written to.

    A folder without a single write bit counts as read-only for root too: whoever set it so
    meant it.
    """
    path = os.path.abspath(folder)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return bool(os.stat(path).st_mode & 0o222) and os.access(path, os.W_OK | os.X_OK)


@contextlib.contextmanager
def exclusive(path: str) -> Iterator[None]:
    """Keeps other processes out of `path` until the block ends; waits for the one inside.

    The lock is `<folder>/.<name>.lock` beside `path`, and goes with its process. The parents of
    `path` are created.

    Raises:
        UserError: The lock file cannot be written.
    """
    parent, name = os.path.split(os.path.abspath(path))
    try:
        os.makedirs(parent, exist_ok=True)
        lock = os.open(os.path.join(parent, f".{name}.lock"), os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise UserError(
            f"{parent}: cannot write there ({error.strerror or error}); choose another folder"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def new_folder(path: str) -> Iterator[str]:
    """Yields a temporary folder beside `path` that becomes `path` when the block succeeds.

    What a killed process left of an earlier try is removed first, so call it inside `exclusive`.

    Args:
        path: The folder to make; must not exist, or be empty.

    Raises:
        UserError: The disk is full, or `path` cannot be written or already holds files.
    """
    parent, name = os.path.split(os.path.abspath(path))
    partial = os.path.join(parent, f".{name}.part")
    try:
        _remove(partial)
        os.mkdir(partial)
        try:
            yield partial
            for entry in os.scandir(partial):
                sync(entry.path)
            os.rename(partial, path)
            sync(parent)
        except BaseException:
            _remove(partial)
            raise
    except OSError as error:
        raise UserError(
            f"{path}: cannot write it ({error.strerror or error}); "
            "make room or remove what is in the way, then try again"
        ) from error


def sync(path: str) -> None:
    """Flushes a file's content, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.remove(path)
