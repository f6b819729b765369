"""Tells TFX's cache whether the raw files have changed: by what is in them."""

import copy
import glob
import os
from collections.abc import Iterable

from tfx.components.example_gen import input_processor
from tfx.proto import example_gen_pb2, range_config_pb2

from transforms.base.digest import digest
from transforms.parsing.file_names import MOVIES_GLOBS, folder_of, is_table, pattern_in
from transforms.parsing.input_files import contents_digest, list_files


class ContentsInputProcessor(input_processor.FileBasedInputProcessor):
    """Resolves spans and versions as TFX does, and fingerprints files by name and contents.

    TFX goes by size and time, so that a copy is another data set, and other values of the same
    length that keep their time are not. A file in object storage is not read: it has a checksum.
    """

    def __init__(
        self,
        input_base: str,
        splits: Iterable[example_gen_pb2.Input.Split],
        range_config: range_config_pb2.RangeConfig | None = None,
    ):
        """Looks at nothing yet.

        Args:
            input_base: A folder or file; the marks of a pattern are parts of its name.
            splits: Patterns in the folder.
            range_config: As in TFX.
        """
        self._base = input_base
        # Copies, as callers fill in what they are told.
        super().__init__(glob.escape(input_base), copy.deepcopy(list(splits)), range_config)
        self._has_spans = self._is_match_span or self._is_match_date or self._is_match_version

    def resolve_span_and_version(self) -> tuple[int, int | None]:
        """Returns what TFX does; 0 and None where no pattern asks for them."""
        return super().resolve_span_and_version() if self._has_spans else (0, None)

    def get_input_fingerprint(self, span: int, version: int | None) -> str:
        """Returns how many files there are, their size and a digest of names and contents."""
        patterns = [
            pattern_in(self._base, self.get_pattern_for_span_version(split.pattern, span, version))
            for split in self._splits
        ]
        if is_table(self._base):
            folder = glob.escape(folder_of(self._base))
            patterns += [os.path.join(folder, movies) for movies in MOVIES_GLOBS]
        paths = {
            file.path: file.size_in_bytes for pattern in patterns for file in list_files(pattern)
        }
        told = "\n".join(f"{os.path.basename(path)} {contents_digest(path)}" for path in paths)
        return f"files:{len(paths)},bytes:{sum(paths.values())},digest:{digest(told.encode())}"
