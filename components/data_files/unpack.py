"""Unpacks chosen files of a zip archive that nobody vouches for."""

import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection

from components.data_files.folders import new_folder
from transforms.errors import UserError

__all__ = ["MAX_BYTES", "MAX_RATIO", "unpack_zip"]

MAX_BYTES = 8 << 30
"""The most bytes that the unpacked files may have together; ml-25m's have 0.7 GiB."""

MAX_RATIO = 100
"""The most that a file above 16 MiB may have been compressed; text of numbers stays below 10."""

_SMALL = 16 << 20


def unpack_zip(archive: str, folder: str, names: Collection[str]) -> None:
    """Unpacks the files called `names` into a new `folder`, all of them or none.

    They are found in any folder of the archive and written flat. The archive is refused as a
    whole when any entry of it is unsafe, wanted or not. Call it inside `folders.exclusive`.

    Args:
        archive: The zip file.
        folder: Created in one step, after every file is written and its CRC is right.
        names: Base names of the files to unpack; what else the archive holds is left there.

    Raises:
        UserError: The archive is no zip, is cut off or corrupt, lacks one of `names` or has it
            twice; an entry has an absolute name or a `..`, is a link, or is not compressed by
            deflate; the files would be larger than `MAX_BYTES` or are compressed more than
            `MAX_RATIO` to 1; or `folder` cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _choose(archive, opened, names)
            with new_folder(folder) as partial:
                for entry in entries:
                    # Reads at most the size that the entry declares, which is bounded by now.
                    path = os.path.join(partial, _base_name(entry))
                    with opened.open(entry) as source, open(path, "wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
    except UserError:
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
        raise UserError(
            f"{archive}: not a whole zip file ({error}); remove it and download it again"
        ) from error


def _choose(archive: str, opened: zipfile.ZipFile, names: Collection[str]) -> list[zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in opened.infolist():
        _check_safe(archive, entry)
        name = _base_name(entry)
        if name not in names or entry.is_dir():
            continue
        if name in found:
            raise UserError(f"{archive}: holds {name} twice; expected it once")
        found[name] = entry
    missing = [name for name in names if name not in found]
    if missing:
        raise UserError(f"{archive}: holds no {missing[0]}; is it the right archive?")
    if sum(entry.file_size for entry in found.values()) > MAX_BYTES:
        raise UserError(f"{archive}: would unpack to more than {MAX_BYTES >> 30} GiB; refused")
    return list(found.values())


def _check_safe(archive: str, entry: zipfile.ZipInfo) -> None:
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
    raise UserError(f"{archive}: unsafe entry {entry.filename!r}: {reason}; nothing was unpacked")


def _base_name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/").rsplit("/", 1)[-1]
