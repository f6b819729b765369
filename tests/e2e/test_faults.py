"""Runs that are cut off or find their files damaged, and what the next run makes of it."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
import tensorflow as tf

from tests.e2e.conftest import ROOT, Workplace

PIPELINE = "ncf"
SETTINGS = ["--set", "train_epochs=3", "--set", "min_hit_rate=0.01", "--set", "min_ndcg=0.01"]
ROUNDS = 6
# Of the first component, which comes after the imports.
START_SECONDS = 5.0


def records(workplace, split):
    """Examples of the latest ExampleGen, as parsed records in an order of their own."""
    root = os.path.join(workplace.home, "artifacts", "MovieLensExampleGen", "examples")
    whole = [number for number in os.listdir(root) if tf.io.gfile.glob(f"{root}/{number}/Split-*")]
    files = tf.io.gfile.glob(os.path.join(root, max(whole, key=int), f"Split-{split}", "*"))
    parsed = [
        tf.train.Example.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(files, "GZIP")
    ]
    return sorted(example.SerializeToString(deterministic=True) for example in parsed)


def command(workplace, *arguments):
    return [
        *(sys.executable, "-m", "pipeline", "run", PIPELINE, "--dataset", "sample"),
        *("--no-download", "--data-root", workplace.data),
        *("--output-root", os.path.dirname(workplace.home), *SETTINGS, *arguments),
    ]


def kill_in(workplace, after, delay):
    """Kills a run `delay` seconds after a component has ended, or after the start with none."""
    process = subprocess.Popen(
        command(workplace), cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if not after or re.match(rf"\s*{after}\s+([\d.]+ s|cached)$", line):
            break
    time.sleep(delay)
    assert process.poll() is None, "the run was over before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()


# The command line, in a process that is killed when the model's variables are pushed.
KILLED_PUSH = """
import os, signal, sys, types
from components.pusher import executor
from pipeline.cli.main import main

executor.fileio = types.SimpleNamespace(copy=lambda *_: os.kill(os.getpid(), signal.SIGKILL))
sys.exit(main())
"""


def check_pushed(workplace):
    """Every folder that a server would take for a model loads and scores."""
    for version in workplace.pushed():
        folder = os.path.join(workplace.home, "serving", version)
        if os.path.exists(os.path.join(folder, "saved_model.pb")):
            scores = tf.saved_model.load(folder).signatures["score"](
                user_id=tf.constant([1], tf.int64), item_id=tf.constant([[1, 2]], tf.int64)
            )["scores"]
            assert tf.reduce_all(tf.math.is_finite(scores))
            assert os.path.exists(os.path.join(folder, "record.json"))


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A run that nothing disturbs."""
    workplace = Workplace(PIPELINE, tmp_path_factory.mktemp("whole"))
    done = workplace.run(*SETTINGS)
    assert done.code == 0, done.out + done.err
    return workplace


@pytest.fixture
def finished(reference, tmp_path):
    """A copy of what the undisturbed run left, in a place of its own, to be damaged."""
    workplace = Workplace(PIPELINE, tmp_path)
    workplace.data = reference.data
    done = workplace.run(*SETTINGS)
    assert done.code == 0, done.out + done.err
    return workplace


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_run_goes_on_after_a_kill_in_any_component(reference, tmp_path, round_):
    workplace = Workplace(PIPELINE, tmp_path)
    workplace.data = reference.data
    seconds = reference.summary()["seconds"]
    random_ = random.Random(round_)
    # Within the time that a component took, from the end of the one before it.
    for before, duration in zip(["", *seconds], seconds.values(), strict=False):
        # The machine may be faster now than when the components were timed.
        share = random_.uniform(0, 0.5)
        kill_in(workplace, before, share * (duration + (0 if before else START_SECONDS)))
        check_pushed(workplace)
    done = workplace.run(*SETTINGS)
    assert done.code == 0, done.out + done.err
    for split in ("train", "eval"):
        assert records(workplace, split) == records(reference, split)
    check_pushed(workplace)
    assert os.path.exists(os.path.join(workplace.summary()["pushed_model"], "saved_model.pb"))


@pytest.mark.slow
def test_a_push_that_is_killed_half_way_leaves_the_model_in_use(finished):
    (before,) = finished.pushed()
    other = [*SETTINGS, "--set", "learning_rate=0.002"]
    _, _, _, *arguments = command(finished, *other)
    killed = subprocess.run([sys.executable, "-c", KILLED_PUSH, *arguments], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    _, cut = sorted(finished.pushed(), key=int)
    left = os.listdir(os.path.join(finished.home, "serving", cut))
    assert "variables" in left and "saved_model.pb" not in left
    check_pushed(finished)
    done = finished.run(*other)
    assert done.code == 0, done.out + done.err
    check_pushed(finished)
    pushed = finished.summary()["pushed_model"]
    with open(os.path.join(pushed, "record.json"), encoding="utf-8") as file:
        assert json.load(file)["parent"].startswith(f"{before}:")
    assert int(os.path.basename(pushed)) > int(cut) > int(before)


@pytest.mark.slow
def test_two_runs_at_once_exclude_each_other(finished):
    first = subprocess.Popen(
        command(finished, "--set", "seed=1"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    first.stdout.readline()
    second = finished.run(*SETTINGS)
    assert second.code == 2 and "another run is at work here" in second.mistake()
    first.communicate()
    assert first.returncode == 0


@pytest.mark.slow
def test_a_damaged_shard_is_told_with_its_remedy(finished):
    root = os.path.join(finished.home, "artifacts", "MovieLensExampleGen", "examples")
    (shard, *_) = tf.io.gfile.glob(f"{root}/*/Split-eval/*")
    with open(shard, "r+b") as file:
        file.seek(os.path.getsize(shard) // 2)
        file.write(b"\0" * 64)
    # Another bound makes the Evaluator read the Examples again.
    done = finished.run(*SETTINGS, "--set", "min_ndcg=0.02")
    assert done.code == 2 and "a stored file is damaged; delete " in done.mistake()
    shutil.rmtree(os.path.join(finished.home, "artifacts"))
    os.remove(os.path.join(finished.home, "metadata.sqlite"))
    assert finished.run(*SETTINGS).code == 0


@pytest.mark.slow
def test_a_damaged_metadata_file_is_named_with_its_remedy(finished):
    path = os.path.join(finished.home, "metadata.sqlite")
    with open(path, "r+b") as file:
        file.write(b"no database at all, not even its first page" * 100)
    done = finished.run(*SETTINGS)
    assert done.code == 2 and "metadata.sqlite is damaged; delete it" in done.mistake()
    os.remove(path)
    shutil.rmtree(os.path.join(finished.home, "artifacts"))
    assert finished.run(*SETTINGS).code == 0


@pytest.mark.slow
def test_a_locked_metadata_file_is_named_with_its_remedy(finished):
    connection = sqlite3.connect(os.path.join(finished.home, "metadata.sqlite"))
    connection.execute("BEGIN EXCLUSIVE")
    try:
        done = finished.run(*SETTINGS)
    finally:
        connection.close()
    assert done.code == 2 and "is locked by another process" in done.mistake()


@contextlib.contextmanager
def small_disk(folder, options):
    """Mounts a disk of its own at a new folder."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_told_and_leaves_nothing_half_pushed(reference, tmp_path):
    folder = tmp_path / "small"
    with small_disk(folder, "size=1m"):
        workplace = Workplace(PIPELINE, folder)
        workplace.data = reference.data
        done = workplace.run(*SETTINGS)
        assert done.code == 2 and "free space" in done.mistake()
        assert not workplace.pushed()
        bigger = ["mount", "-o", "remount,size=200m", str(folder)]
        subprocess.run(bigger, check=True)
        assert workplace.run(*SETTINGS).code == 0
        check_pushed(workplace)


@pytest.mark.slow
def test_a_read_only_output_root_is_told(reference, tmp_path):
    folder = tmp_path / "sealed"
    with small_disk(folder, "ro"):
        workplace = Workplace(PIPELINE, folder)
        workplace.data = reference.data
        done = workplace.run(*SETTINGS)
    assert done.code == 2 and "Read-only file system; " in done.mistake()


@pytest.mark.slow
def test_a_damaged_checkpoint_is_named_with_its_remedy(reference, tmp_path):
    workplace = Workplace(PIPELINE, tmp_path)
    workplace.data = reference.data
    checkpoints = os.path.join(workplace.home, "checkpoints")
    longer = ["--set", "train_epochs=400"]
    process = subprocess.Popen(
        [*command(workplace), *longer], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    )
    while not tf.io.gfile.glob(f"{checkpoints}/*/*/*.index"):
        assert process.poll() is None
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for file in tf.io.gfile.glob(f"{checkpoints}/*/*/*.data-*"):
        with open(file, "r+b") as data:
            data.truncate(os.path.getsize(file) // 2)
    done = workplace.run(*SETTINGS, *longer)
    assert done.code == 2 and "the checkpoint is damaged" in done.mistake()
    shutil.rmtree(checkpoints)
    assert workplace.run(*SETTINGS).code == 0
