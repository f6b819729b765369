"""Finds and opens the user's files."""

import concurrent.futures
import glob
import hashlib
import os
from collections.abc import Callable, Collection, Sequence
from typing import Any, BinaryIO

from transforms.base.errors import UserError

_PIECE = 16 << 20


def extension(path: str) -> str:
    """Returns how a path ends, from its last dot on and in lower case."""
    return os.path.splitext(path)[1].lower()


def match_files(pattern: str, extensions: Collection[str] = ()) -> list[Any]:
    """Returns Beam's metadata of the files that a glob matches, in order of their paths.

    Args:
        pattern: A glob on any of Beam's file systems; `glob.escape` makes one of a name.
        extensions: If there are any, matches with another extension are left out.
    """
    from apache_beam.io.filesystems import FileSystems

    matched = FileSystems.match([pattern])[0].metadata_list
    wanted = [file for file in matched if not extensions or extension(file.path) in extensions]
    return sorted(wanted, key=lambda file: file.path)


def find_files(pattern: str, among: Callable[[str, Sequence[str]], list[str]]) -> list[Any]:
    """Returns Beam's metadata of the files that are meant, in order of their paths.

    Args:
        pattern: A glob on any of Beam's file systems, of files or of a folder with the parts of
            one. One that ends in `/*` is a folder, of whose files, and of those in the folders in
            it, some are chosen.
        among: Returns which, given the folder and the names of all.

    Raises:
        UserError: As `among` does.
    """
    folder, _, last = pattern.rpartition("/")
    files = list_files(pattern)
    if last != "*":
        return files
    shown = _unescaped(folder)
    names = {file.path[len(shown) + 1 :]: file for file in files}
    return [names[name] for name in among(shown, list(names))]


def list_files(pattern: str) -> list[Any]:
    """Returns Beam's metadata of all files that `find_files` may choose of."""
    inside = match_files(f"{pattern}/*")
    if pattern.endswith("/*"):
        return match_files(pattern) + inside
    # Spark marks in this way what are no parts.
    return [file for file in inside if os.path.basename(file.path)[0] not in "._"] or match_files(
        pattern
    )


def contents_digest(path: str) -> str:
    """Returns a digest of a file's contents; of one in object storage, its own checksum."""
    if "://" in path:
        from apache_beam.io.filesystems import FileSystems

        return str(FileSystems.checksum(path))

    def digest_of(start: int) -> bytes:
        with open(path, "rb") as file:
            file.seek(start)
            return hashlib.sha256(file.read(_PIECE)).digest()

    # In pieces, as that takes all cores: hashlib lets go of the interpreter. SHA-256 is what
    # processors have instructions for.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        pieces = pool.map(digest_of, range(0, os.path.getsize(path), _PIECE))
        return hashlib.sha256(b"".join(pieces)).hexdigest()


def open_input(path: str) -> BinaryIO:
    """Returns the bytes of a file on any of Beam's file systems, as they are.

    Raises:
        UserError: The file cannot be opened.
    """
    try:
        if "://" not in path:
            return open(path, "rb")
        # It takes a second to import, which those with files on this machine are spared.
        from apache_beam.io.filesystem import CompressionTypes
        from apache_beam.io.filesystems import FileSystems

        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except OSError as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{path}: cannot be read ({reason}); mend the file or its path") from error


def _unescaped(pattern: str) -> str:
    """Returns what `glob.escape` made the pattern of."""
    for mark in "*?[":
        pattern = pattern.replace(glob.escape(mark), mark)
    return pattern
