"""What to do about faults of the machine that a run can meet."""

import os
import re

from transforms.base.errors import UserError, causes

_FULL = ("No space left on device", "Disk quota exceeded")
_DENIED = ("Read-only file system", "Permission denied")
# How Python, TensorFlow, and then Arrow and Beam name the file in the text of an error.
_FILE_IN_TEXT = (
    r"{sign}: '(/[^'\n]+)'",
    r"(?:^|\s)(/[^;\s]+); {sign}",
    r"'(/[^'\n]+)'[^/\n]{{1,40}}{sign}",
)

# What the stack says of it, in any of its languages, and what a user can do.
_REMEDIES = (
    (
        ("database is locked", "Concurrent writes aborted"),
        "{home}/metadata.sqlite is locked by another process",
        "end that process, and run again",
    ),
    (
        ("file is not a database", "database disk image is malformed"),
        "{home}/metadata.sqlite is damaged",
        "delete it and {home}/artifacts, which are made anew, and run again",
    ),
    (
        ("corrupted record", "truncated record", "DataLossError", "while decompressing data"),
        "a stored file is damaged",
        "delete {home}/artifacts and {home}/metadata.sqlite, which are made anew, and run again",
    ),
)


def find_remedy(error: BaseException, component: str | None, home: str) -> UserError | None:
    """Returns what to tell the user of a fault that is not the program's, or None.

    Args:
        error: What ended the run.
        component: The component that raised it, if one was running.
        home: The pipeline's folder under the output root.
    """
    whole = "\n".join(f"{type(cause).__name__}: {cause}" for cause in causes(error))
    where = f"{component}: " if component else ""
    for sign in (*_FULL, *_DENIED):
        file = _file_at_fault(error, sign)
        # A service can deny something as well, and no folder here mends that.
        if file or (sign in _FULL and sign in whole):
            return UserError(where + _of_a_file(file, sign, home))
    for signs, what, remedy in _REMEDIES:
        if any(sign in whole for sign in signs):
            return UserError(f"{where}{what.format(home=home)}; {remedy.format(home=home)}")
    return None


def _file_at_fault(error: BaseException, sign: str) -> str:
    """Returns the path of the file that an error with `sign` is about, or "" if it names none."""
    for cause in causes(error):
        text = str(cause)
        if sign not in text:
            continue
        if isinstance(cause, OSError) and isinstance(cause.filename, str):
            return os.path.abspath(cause.filename)
        for form in _FILE_IN_TEXT:
            named = re.search(form.format(sign=sign), text)
            if named:
                return named[1]
    return ""


def _of_a_file(file: str, sign: str, home: str) -> str:
    """Returns what is wrong with a file and what to do about it where it lies."""
    what = f"{file}: {sign}" if file else "the disk is full"
    here = "free space" if sign in _FULL else "make it accessible"
    if _within(file, home):
        here += " or choose another folder with --output-root"
    # Asking tempfile would write a file, and fail where none can be written.
    elif _within(file, os.path.abspath(os.environ.get("TMPDIR") or "/tmp")):
        here += " or set TMPDIR to another folder"
    return f"{what}; {here}, and run again"


def _within(file: str, folder: str) -> bool:
    return f"{file}/".startswith(f"{folder}/")
