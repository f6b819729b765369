"""Opens the user's files."""

from typing import BinaryIO

from transforms.base.errors import UserError

__all__ = ["open_input"]


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
