"""Puts a model into a serving folder, where no part of it ever counts as whole."""

import os
import time

from tfx.dsl.io import fileio
from tfx.utils import io_utils

from components.model_records.in_use import versions
from components.model_records.record import RECORD_FILE

_LAST = "saved_model.pb"


def put_model(model: str, record: str, serving_dir: str) -> str:
    """Returns the folder where a copy of a model is in use after this.

    The record comes with the model, and `saved_model.pb`, by which servers and we tell a whole
    model, comes last and in one step. The version is newer than every one before it.

    Args:
        model: The SavedModel's folder.
        record: The text of its record.
        serving_dir: The serving folder, which need not be there.
    """
    newer = [int(version) + 1 for version in versions(serving_dir)[:1]]
    folder = os.path.join(serving_dir, str(max([int(time.time()), *newer])))
    io_utils.copy_dir(model, folder, deny_regex_patterns=[r"saved_model\.pb", rf"/{RECORD_FILE}$"])
    io_utils.write_string_file(os.path.join(folder, RECORD_FILE), record)
    last = os.path.join(folder, _LAST)
    fileio.copy(os.path.join(model, _LAST), f"{last}.part")
    fileio.rename(f"{last}.part", last)
    return folder
