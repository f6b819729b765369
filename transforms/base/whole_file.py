"""Files that no reader ever sees a part of."""

import contextlib
import os
from collections.abc import Iterator

from transforms.base.errors import UserError
from transforms.base.settings import check


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[str]:
    """Yields a path to write to, which takes its place in the end; on an error nothing is left."""
    partial = f"{path}.part"
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(partial)
        raise


@contextlib.contextmanager
def output_file(path: str) -> Iterator[str]:
    """Does as `whole_file` for a file that the user named.

    Raises:
        UserError: It cannot be written.
    """
    check("://" not in path, "--out", path, "a file on this machine")
    try:
        with whole_file(path) as partial:
            yield partial
    except OSError as error:
        raise UserError(f"{path}: cannot write it ({error.strerror or error})") from error
