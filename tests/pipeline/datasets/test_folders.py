import os
import threading

import pytest

from pipeline.datasets import folders
from pipeline.datasets.folders import exclusive, new_folder, writable
from transforms.base.errors import UserError


def test_a_folder_may_be_written_to_if_the_nearest_there_may(tmp_path):
    free, shut = tmp_path / "free", tmp_path / "shut"
    free.mkdir()
    shut.mkdir()
    shut.chmod(0o555)
    assert writable(str(free)) and writable(str(free / "a" / "b"))
    assert not writable(str(shut)) and not writable(str(shut / "a" / "b"))
    # Whoever may write: a single bit is enough for its owner.
    shut.chmod(0o755)
    assert writable(str(shut / "a"))


def test_a_folder_that_may_not_be_entered_may_not_be_written_to(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: bool(asked.append((path, mode))))
    assert not writable(str(tmp_path / "a"))
    assert asked == [(str(tmp_path), os.W_OK | os.X_OK)]


def test_whoever_comes_second_waits_until_the_first_is_done(tmp_path):
    path = tmp_path / "not" / "there" / "ml-1m"
    order, inside, waits = [], threading.Event(), threading.Event()

    def second():
        inside.wait()
        waits.set()
        with exclusive(str(path)):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with exclusive(str(path)):
        inside.set()
        waits.wait()
        # It has all the time that it would need.
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert os.listdir(path.parent) == [".ml-1m.lock"]
    descriptors = len(os.listdir("/proc/self/fd"))
    with exclusive(str(path)), exclusive(str(tmp_path / "another")):
        pass
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_lock_that_cannot_be_written_is_a_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "in"
    with (
        pytest.raises(UserError, match=f"^{folder}: cannot write there .*; choose another folder"),
        exclusive(str(folder / "ml-1m")),
    ):
        pass


def test_a_new_folder_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    steps = []
    rename = os.rename
    monkeypatch.setattr(folders, "sync", lambda path: steps.append(os.path.basename(path)))
    monkeypatch.setattr(os, "rename", lambda *paths: (steps.append("renamed"), rename(*paths)))
    path = tmp_path / "made"
    with new_folder(str(path)) as partial:
        assert partial == str(tmp_path / ".made.part")
        for name in "ab":
            with open(os.path.join(partial, name), "w") as file:
                file.write(name)
    assert sorted(steps[:2]) == ["a", "b"] and steps[2:] == ["renamed", tmp_path.name]
    assert sorted(os.listdir(path)) == ["a", "b"] and os.listdir(tmp_path) == ["made"]


@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
def test_what_was_left_of_an_earlier_try_is_no_part_of_the_new_folder(kind, tmp_path):
    left = tmp_path / ".made.part"
    if kind == "file":
        left.write_text("left")
    elif kind == "folder":
        (left / "deep").mkdir(parents=True)
    with new_folder(str(tmp_path / "made")):
        pass
    assert os.listdir(tmp_path) == ["made"] and os.listdir(tmp_path / "made") == []


def test_a_folder_that_is_full_of_other_files_is_left_as_it_is(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine").write_text("")
    with (
        pytest.raises(UserError, match=f"^{tmp_path}/made: cannot write it .*; make room or remo"),
        new_folder(str(tmp_path / "made")),
    ):
        pass
    assert os.listdir(tmp_path) == ["made"] and os.listdir(tmp_path / "made") == ["mine"]


def test_files_are_flushed_and_closed(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda of: flushed.append(os.readlink(f"/proc/self/fd/{of}")))
    descriptors = len(os.listdir("/proc/self/fd"))
    folders.sync(str(tmp_path))
    assert flushed == [str(tmp_path)]
    assert len(os.listdir("/proc/self/fd")) == descriptors
