"""Finds and opens the user's files."""

import os
from collections.abc import Collection
from typing import Any, BinaryIO

from transforms.base.errors import UserError


def extension(path: str) -> str:
    """Returns how a path ends, from its last dot on and in lower case."""
    return os.path.splitext(path)[1].lower()


def match_files(pattern: str, extensions: Collection[str]) -> list[Any]:
    """Returns Beam's metadata of the files that a glob matches, in order of their paths.

    Args:
        pattern: A glob on any of Beam's file systems.
        extensions: Matches with another extension are left out.
    """
    from apache_beam.io.filesystems import FileSystems

    matched = FileSystems.match([pattern])[0].metadata_list
    return sorted((f for f in matched if extension(f.path) in extensions), key=lambda f: f.path)


def open_input(path: str) -> BinaryIO:
    """Returns the bytes of a file on any of Beam's file systems, as they are.

    Raises:
        UserError: The file cannot be opened.
    """
    # Beam takes a second to import, which those who only parse what they have are spared.
    from apache_beam.io.filesystem import BeamIOError, CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    try:
        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except (OSError, BeamIOError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{path}: cannot be read ({reason}); mend the file or its path") from error
