"""The tuned ncf pipeline on the embedded sample, killed in the midst of its search."""

import glob
import os
import subprocess
import time

import pytest

from components.training.loop import HISTORY_FILE
from pipeline.config import preset

from .conftest import ROOT

PIPELINE = "ncf"
BOUNDS = ("--set", "min_hit_rate=0.2", "--set", "min_ndcg=0.1")
SHORT = (*BOUNDS, "--set", "train_epochs=8")
TUNED = (*SHORT, "--set", "tune=true", "--set", "tune_trials=4")
PATIENCE = 300

pytestmark = pytest.mark.slow


def wait_for(pattern, count, process):
    began = time.monotonic()
    while len(glob.glob(pattern)) < count:
        assert process.poll() is None and time.monotonic() - began < PATIENCE
        time.sleep(0.05)


@pytest.fixture(scope="module")
def tuned(workplace):
    """The second attempt at a tuned run, whose first one was killed after two trials."""
    finished = os.path.join(workplace.home, "checkpoints", "*-trials", "*", HISTORY_FILE)
    unheard = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(workplace.command(*TUNED), cwd=ROOT, **unheard) as first:
        wait_for(finished, 2, first)
        first.kill()
    return workplace.run(*TUNED)


def test_a_killed_search_goes_on_with_the_next_trial(workplace, tuned):
    assert tuned.code == 0, tuned.out + tuned.err
    with open(workplace.summary()["log"], encoding="utf-8") as file:
        own = [line for line in file if "] epoch " in line or "] trial " in line]
    assert "trial 1 of 4" in own[0] and "trial 2 of 4" in own[1]
    assert [line for line in own if "epoch 8 of 8" in line and "ndcg" in line]
    assert os.listdir(os.path.join(workplace.home, "checkpoints")) == []


@pytest.mark.usefixtures("tuned")
def test_the_best_trial_is_no_worse_than_the_settings_as_they_were(workplace):
    tuning = workplace.summary()["tuning"]
    own = preset("ncf", "sample").trainer
    first = tuning["trials"][0]
    assert first["settings"] == {name: getattr(own, name) for name in first["settings"]}
    best = tuning["trials"][tuning["best_trial"] - 1]
    assert best["settings"] == tuning["chosen"]
    assert best["score"] == max(trial["score"] for trial in tuning["trials"])
    assert len(tuning["trials"]) == 4 and best["score"] >= first["score"] > 0


@pytest.mark.usefixtures("tuned")
def test_an_unchanged_tuned_run_executes_nothing(workplace):
    before = workplace.summary()
    assert workplace.run(*TUNED).code == 0
    assert workplace.executed() == set()
    assert workplace.summary()["tuning"] == before["tuning"]


@pytest.mark.usefixtures("tuned")
def test_the_trainer_uses_what_the_tuner_chose(workplace):
    summary = workplace.summary()
    chosen = [f"--set={name}={value}" for name, value in summary["tuning"]["chosen"].items()]
    by_hand = workplace.run(*SHORT, *chosen)
    assert by_hand.code == 0, by_hand.out + by_hand.err
    assert "tuning" not in workplace.summary()
    assert workplace.summary()["settings"]["trainer"] == summary["settings"]["trainer"]
    assert workplace.summary()["metrics"] == pytest.approx(summary["metrics"], abs=1e-3)
