"""What to do about faults of the machine that a run can meet."""

from transforms.errors import UserError, causes

__all__ = ["find_remedy"]

# What the stack says of it, in any of its languages, and what a user can do.
_REMEDIES = (
    (
        ("No space left on device", "Disk quota exceeded"),
        "the disk is full",
        "free space or choose another folder with --output-root, and run again",
    ),
    (
        ("Read-only file system", "Permission denied"),
        "{home} cannot be written to",
        "choose another folder with --output-root",
    ),
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
    for signs, what, remedy in _REMEDIES:
        if any(sign in whole for sign in signs):
            where = f"{component}: " if component else ""
            return UserError(f"{where}{what.format(home=home)}; {remedy.format(home=home)}")
    return None
