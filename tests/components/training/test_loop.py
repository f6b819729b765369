import json
import types

import pytest
import tensorflow as tf

from components.training import loop
from components.training.checkpoints import Checkpoints
from components.training.config import LoopConfig
from components.training.loop import (
    HISTORY_FILE,
    DivergedError,
    EpochStats,
    Goal,
    checkpoint_dir,
    run_loop,
)
from components.training.strategy import create_strategy
from transforms.base.errors import UserError


class KilledError(Exception):
    pass


class Run:
    """A model whose weight grows by the epoch's number; killed before an epoch on demand."""

    def __init__(self, folder, kill_before=None, sign=1.0):
        self.folder = folder
        self.sign = sign
        self.kill_before = kill_before
        self.weight = tf.Variable(1.0)
        self.checkpoint = tf.train.Checkpoint(weight=self.weight)
        self.trained = []

    def train_epoch(self, epoch):
        if epoch == self.kill_before:
            raise KilledError
        self.trained.append(epoch)
        self.weight.assign_add(epoch + 1.0)
        return EpochStats(loss=1.0 / float(self.weight), examples=10)

    def evaluate(self):
        return {"score": self.sign * float(self.weight)}

    def __call__(self, **settings):
        return run_loop(
            LoopConfig(batch_size=1, **settings),
            strategy=create_strategy(0),
            fit=self,
            goal=Goal("score", self.sign > 0),
            checkpoints=Checkpoints(str(self.folder / "checkpoints")),
            log_dir=str(self.folder / "log"),
        )


def untimed(history):
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history.epochs]


def test_a_killed_run_continues_to_the_same_history(tmp_path):
    whole = Run(tmp_path / "whole")(train_epochs=5)
    with pytest.raises(KilledError):
        Run(tmp_path / "cut", kill_before=3)(train_epochs=5)
    assert not (tmp_path / "cut" / "log" / HISTORY_FILE).exists()
    second = Run(tmp_path / "cut")
    assert untimed(second(train_epochs=5)) == untimed(whole)
    assert second.trained == [3, 4]


def test_a_finished_run_trains_no_more(tmp_path):
    first = Run(tmp_path)(train_epochs=2)
    again = Run(tmp_path)
    assert again(train_epochs=2) == first
    assert again.trained == []


@pytest.mark.parametrize(("epochs", "timed"), [(1, [0]), (2, [1]), (3, [1, 2])])
def test_the_speed_is_that_of_all_epochs_but_the_first_if_there_are_others(epochs, timed, tmp_path):
    history = Run(tmp_path)(train_epochs=epochs)
    seconds = sum(history.epochs[i]["seconds"] for i in timed)
    assert history.examples_per_second == pytest.approx(10 * len(timed) / seconds)


def test_a_run_that_goes_on_has_the_speed_of_its_own_epochs(tmp_path):
    with pytest.raises(KilledError):
        Run(tmp_path, kill_before=2)(train_epochs=4)
    history = Run(tmp_path)(train_epochs=4)
    assert history.examples_per_second == pytest.approx(10 / history.epochs[3]["seconds"])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_stops_once_the_threshold_is_reached(sign, tmp_path):
    run = Run(tmp_path, sign=sign)
    assert untimed(run(train_epochs=9, stop_threshold=sign * 7.0))[-1]["score"] == sign * 7.0
    assert run.trained == [0, 1, 2]


def test_evaluates_every_so_often_and_at_the_end(tmp_path):
    history = Run(tmp_path)(train_epochs=5, epochs_between_evals=2)
    assert [e["epoch"] for e in history.epochs if "score" in e] == [2, 4, 5]


def test_history_is_written_beside_the_logs(tmp_path):
    history = Run(tmp_path)(train_epochs=2, profile=True)
    written = json.loads((tmp_path / "log" / HISTORY_FILE).read_text())
    assert written == {
        "epochs": history.epochs,
        "examples_per_second": history.examples_per_second,
    }
    assert list((tmp_path / "log").glob("events*"))
    assert list((tmp_path / "log").glob("plugins/profile/*/*.xplane.pb"))


def test_the_second_epoch_is_profiled_or_the_only_one(tmp_path, monkeypatch):
    def profiled(epochs):
        run, began = Run(tmp_path / str(epochs)), []
        profiler = tf.profiler.experimental
        monkeypatch.setattr(profiler, "start", lambda _: began.append(len(run.trained)))
        monkeypatch.setattr(profiler, "stop", lambda: None)
        run(train_epochs=epochs, profile=True)
        return began

    # The first one traces its functions.
    assert [profiled(epochs) for epochs in (1, 2, 4)] == [[0], [1], [1]]


def test_a_worker_that_is_no_chief_trains_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "is_chief", lambda strategy: False)
    run = Run(tmp_path)
    run(train_epochs=3, profile=True)
    assert run.trained == [0, 1, 2]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_loss_that_is_not_finite_is_an_error(tmp_path):
    run = Run(tmp_path)
    run.weight.assign(float("nan"))
    with pytest.raises(UserError, match=r"epoch 1: loss=nan: .* lower learning_rate"):
        run(train_epochs=1)


def test_a_metric_that_is_not_finite_is_an_error(tmp_path):
    with pytest.raises(DivergedError, match=r"epoch 1: score=nan: "):
        Run(tmp_path, sign=float("nan"))(train_epochs=1)


def test_checkpoints_lie_by_settings_code_and_input():
    def folder(config="{}", code="1", files="a", run="r1"):
        custom = {"config": config, "code": code, "checkpoint_root": "root"}
        return checkpoint_dir(
            types.SimpleNamespace(
                custom_config=custom, train_files=[files], eval_files=[], model_run_dir=run
            )
        )

    assert folder() == folder(run="r2")
    assert len({folder(), folder(config="{1}"), folder(code="2"), folder(files="b")}) == 4
