"""Reads and unpacks chosen files of a zip archive that nobody vouches for."""

import contextlib
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from typing import IO

from pipeline.datasets.folders import new_folder
from transforms.base.errors import UserError

MAX_RATIO = 100
"""The most that a file above 16 MiB may have been compressed; text of numbers stays below 10."""

_SMALL = 16 << 20


class ArchiveError(Exception):
    """The archive is not whole, not safe or not the right one; says why."""


def unpack_zip(archive: str, folder: str, names: Collection[str], max_bytes: int) -> None:
    """Unpacks the files called `names` into a new `folder`, all of them or none.

    They are written flat. Call it inside `folders.exclusive`.

    Args:
        archive: The zip file.
        folder: Created in one step, after every file is written and its CRC is right.
        names: Base names of the files to unpack; what else the archive holds is left there.
        max_bytes: The most bytes that they may have together.

    Raises:
        UserError: The archive is refused, as by `open_members`; or `folder` cannot be written.
    """
    try:
        with open_members(archive, names, max_bytes) as members, new_folder(folder) as partial:
            for name, source in members:
                with open(os.path.join(partial, name), "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
    except ArchiveError as error:
        raise UserError(f"{archive}: {error}; remove it and download it again") from error


@contextlib.contextmanager
def open_members(
    archive: str, names: Collection[str], max_bytes: int
) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """Yields the files called `names` with their content, to be read in turn.

    They are found in any folder of the archive. It is refused as a whole when any entry of it is
    unsafe, wanted or not. A file's CRC is compared when it is read to its end.

    Raises:
        ArchiveError: The archive is no zip, is cut off or corrupt, lacks one of `names` or has it
            twice; an entry has an absolute name or a `..`, is a link, or is not compressed by
            deflate; or the files would be larger than `max_bytes` or are compressed more than
            `MAX_RATIO` to 1.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            yield _read(opened, _choose(opened, names, max_bytes))
    except UserError:  # A ValueError, which is none of the archive's.
        raise
    # What zipfile raises on damaged bytes: wrong magic or CRC, a bad deflate stream, an early
    # end, a seek before the start, an encryption or version that it does not know.
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        raise ArchiveError(f"not a whole zip file ({error})") from error


def _read(
    opened: zipfile.ZipFile, entries: Collection[zipfile.ZipInfo]
) -> Iterator[tuple[str, IO[bytes]]]:
    for entry in entries:
        # Reads at most the size that the entry declares, which is bounded by now.
        with opened.open(entry) as content:
            yield _base_name(entry), content


def _choose(
    opened: zipfile.ZipFile, names: Collection[str], max_bytes: int
) -> list[zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in opened.infolist():
        _check_safe(entry)
        name = _base_name(entry)
        if name not in names or entry.is_dir():
            continue
        if name in found:
            raise ArchiveError(f"holds {name} twice")
        found[name] = entry
    missing = [name for name in names if name not in found]
    if missing:
        raise ArchiveError(f"holds no {missing[0]}")
    size = sum(entry.file_size for entry in found.values())
    if size > max_bytes:
        raise ArchiveError(f"would unpack to {size} bytes, more than {max_bytes}")
    return list(found.values())


def _check_safe(entry: zipfile.ZipInfo) -> None:
    name = entry.filename.replace("\\", "/")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if name.startswith("/") or ":" in name.split("/", 1)[0] or ".." in name.split("/"):
        reason = "its name leads out of the folder"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        reason = "it is a link or a special file"
    elif entry.file_size > _SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
        reason = f"it unpacks to more than {MAX_RATIO} times its size"
    elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        reason = "it is not compressed by deflate"
    else:
        return
    raise ArchiveError(f"unsafe entry {entry.filename!r}: {reason}")


def _base_name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/").rsplit("/", 1)[-1]
