"""Folders of any name for a stack that takes some names for patterns."""

import contextlib
import os
import re

from transforms.base.digest import digest
from transforms.base.errors import UserError

# Beam and TensorFlow glob whatever path they are given, and Beam knows no way to quote these.
_PATTERN = re.compile(r"[*?\[\\]")


def plain_folder(folder: str, make: bool = False) -> str:
    """Returns a path of a folder that is no pattern.

    That is the folder's own, or of a link to it in the user's cache folder. The link has the same
    name each time, since what a run keeps names its files by it.

    Args:
        folder: On this machine.
        make: Whether to make the folder, too, if a link has to lead to it.

    Raises:
        UserError: The link, or the folder that it leads to, cannot be made.
    """
    real = os.path.abspath(folder)
    found = _PATTERN.search(real)
    if not found:
        return folder
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    words = re.sub(r"[^a-zA-Z0-9]+", "-", os.path.basename(real)).strip("-")
    name = f"{words}-{digest(os.fsencode(real))}"
    link = os.path.join(os.path.abspath(cache), "tfx-recommenders", name)
    try:
        if _PATTERN.search(link):
            raise OSError(f"{link}: has one itself")
        if make:
            os.makedirs(real, exist_ok=True)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.symlink(real, link)
    except OSError as error:
        raise UserError(
            f"{real}: Beam and TensorFlow take {found[0]!r} in it for a pattern, and no link to it "
            f"can be made ({error}); choose a folder without"
        ) from error
    return link
