import os

import pytest
import tensorflow as tf

from components.training.checkpoints import Checkpoints, remove_forgotten
from transforms.base.errors import UserError


class Attempt:
    """An attempt at a training whose weight is the number of its epochs."""

    def __init__(self, folder):
        self.checkpoints = Checkpoints(str(folder))
        self.weight = tf.Variable(0.0)
        state = tf.train.Checkpoint(weight=self.weight)
        self.path = self.checkpoints.restore(state)
        self.manager = self.checkpoints.manager(state)

    def train(self, epochs):
        for _ in range(epochs):
            self.weight.assign_add(1.0)
            self.manager.save()

    def ends(self):
        self.checkpoints.remove()


def test_an_attempt_goes_on_from_the_furthest_of_all(tmp_path):
    ahead, behind = Attempt(tmp_path), Attempt(tmp_path)
    ahead.train(10)
    behind.train(9)
    assert Attempt(tmp_path).weight.numpy() == 10.0


def test_an_attempt_that_ends_leaves_alone_what_another_still_writes(tmp_path):
    folder = tmp_path / "checkpoints"
    killed = Attempt(folder)
    killed.train(2)
    first, second = Attempt(folder), Attempt(folder)
    first.train(1)
    second.train(2)
    second.ends()
    assert len(os.listdir(folder)) == 1
    again = Attempt(folder)
    assert again.weight.numpy() == 3.0
    again.train(1)
    again.ends()
    assert not folder.exists()
    first.train(1)
    assert Attempt(folder).weight.numpy() == 4.0


def test_a_checkpoint_that_another_attempt_replaces_meanwhile_is_not_damaged(tmp_path):
    running, late = Attempt(tmp_path), Attempt(tmp_path)
    running.train(1)
    gone = running.manager.latest_checkpoint
    running.train(1)
    found = iter([gone, running.manager.latest_checkpoint, running.manager.latest_checkpoint])
    late.checkpoints._furthest = lambda: next(found)
    weight = tf.Variable(0.0)
    late.checkpoints.restore(tf.train.Checkpoint(weight=weight))
    assert weight.numpy() == 2.0


def test_a_damaged_checkpoint_is_named_with_its_remedy(tmp_path):
    Attempt(tmp_path).train(1)
    for data in tmp_path.glob("*/*.data-*"):
        os.truncate(data, 3)
    with pytest.raises(UserError, match=f"{tmp_path}: the checkpoint is damaged .*; delete this"):
        Attempt(tmp_path)


def test_what_nothing_has_written_to_for_a_week_is_removed(tmp_path):
    def add(name, folder_age, file_age):
        folder, file = tmp_path / name, tmp_path / name / "attempt" / "ckpt-1.index"
        file.parent.mkdir(parents=True)
        file.touch()
        now = file.stat().st_mtime
        for path, days in ((file, file_age), (file.parent, folder_age), (folder, folder_age)):
            os.utime(path, (now - days * 86_400,) * 2)

    add("0" * 16, 8, 8)
    add(f"{'1' * 16}-trials", 8, 8)
    add("2" * 16, 8, 6)
    add("3" * 16, 6, 8)
    add("of_somebody_else", 8, 8)
    remove_forgotten(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["2" * 16, "3" * 16, "of_somebody_else"]
    remove_forgotten(str(tmp_path / "missing"))
