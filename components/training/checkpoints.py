"""Where a training keeps its checkpoints, and what of other trainings it removes."""

import contextlib
import os
import re
import time
import uuid

import tensorflow as tf
from absl import logging

from transforms.base.errors import UserError

_CHECKPOINTS = re.compile(r"[0-9a-f]{16}(-trials)?")
# A training writes after every epoch, and none takes a day for one.
_FORGOTTEN_SECONDS = 7 * 24 * 3600


class Checkpoints:
    """The checkpoints of all attempts at the same training: some killed, some perhaps running.

    Each attempt writes in a folder of its own, so that two at once do not write into each other,
    and goes on from the furthest checkpoint of any: the same training has the same weights after
    the same epoch, whoever trained it. None has to know whether another is alive.
    """

    def __init__(self, folder: str):
        """Begins an attempt, and writes nothing.

        Args:
            folder: Where the attempts have their folders; it need not exist.
        """
        self._folder = folder
        self._own = os.path.join(folder, uuid.uuid4().hex[:16])
        self._before = self._latest()

    def restore(self, state: tf.train.Checkpoint) -> str | None:
        """Restores the furthest checkpoint and returns its path, or None where there is none.

        Raises:
            UserError: The checkpoint is damaged.
        """
        while path := self._furthest():
            try:
                state.restore(path).assert_existing_objects_matched()
                return path
            except (tf.errors.OpError, IndexError) as error:  # IndexError: a file is cut off.
                # Another attempt may have put its next one in the place of this one meanwhile.
                if self._furthest() == path:
                    raise UserError(
                        f"{self._folder}: the checkpoint is damaged ({type(error).__name__}); "
                        "delete this folder and run again, which trains from the start"
                    ) from error
        return None

    def manager(self, state: tf.train.Checkpoint) -> tf.train.CheckpointManager:
        """Returns what writes this attempt's checkpoints and keeps the last one."""
        return tf.train.CheckpointManager(state, self._own, max_to_keep=1)

    def remove(self) -> None:
        """Removes the folders of this attempt and of those that wrote nothing since it began."""
        for attempt, path in self._latest().items():
            if attempt == self._own or self._before.get(attempt, "") == path:
                remove(attempt)
        if not _listed(self._folder):
            remove(self._folder)

    def _latest(self) -> dict[str, str | None]:
        """Returns the last whole checkpoint, if any, of each attempt's folder."""
        return {
            attempt: tf.train.latest_checkpoint(attempt)
            for attempt in (os.path.join(self._folder, name) for name in _listed(self._folder))
        }

    def _furthest(self) -> str | None:
        return max(filter(None, self._latest().values()), key=_number, default=None)


def _number(path: str) -> int:
    """Returns how many checkpoints there were with that of a path, one for each epoch."""
    return int(path.rpartition("-")[2])


def remove_forgotten(root: str) -> None:
    """Removes checkpoints that nothing has written to for a week, such as of settings given up.

    Args:
        root: The folder with the checkpoints of all settings, each in a folder that is named as
            `checkpoint_dir` says. What else lies there stays.
    """
    for name in filter(_CHECKPOINTS.fullmatch, _listed(root)):
        folder = os.path.join(root, name)
        with contextlib.suppress(tf.errors.NotFoundError):
            if _last_change(folder) < time.time() - _FORGOTTEN_SECONDS:
                tf.io.gfile.rmtree(folder)
                logging.info("%s: removed, since nothing has written to it for a week", folder)


def remove(folder: str) -> None:
    """Removes a folder, which another process may be removing too."""
    with contextlib.suppress(tf.errors.NotFoundError):
        tf.io.gfile.rmtree(folder)


def _last_change(folder: str) -> float:
    """Returns the time of the last change of a folder or anything in it, in seconds.

    A folder in an object store has no time of its own.
    """
    seconds = tf.io.gfile.stat(folder).mtime_nsec / 1e9
    for parent, _, files in tf.io.gfile.walk(folder):
        for file in files:
            changed = tf.io.gfile.stat(os.path.join(parent, file)).mtime_nsec / 1e9
            seconds = max(seconds, changed)
    return seconds


def _listed(folder: str) -> list[str]:
    """Returns the names in a folder, none if it does not exist."""
    try:
        return [name.rstrip("/") for name in tf.io.gfile.listdir(folder)]
    except tf.errors.NotFoundError:
        return []
