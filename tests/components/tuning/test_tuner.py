import gc
import json
import math
import types

import keras_tuner
import pytest
import tensorflow as tf
from tfx.components.tuner import executor
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from components.training.config import LoopConfig
from components.training.loop import EpochStats, Goal
from components.training.strategy import create_strategy
from components.training.train import Setup
from components.tuning.executor import METRIC, TunerExecutor
from components.tuning.space import among, around
from components.tuning.tuner import LoopTuner
from transforms.base.errors import UserError, find_user_error
from transforms.base.settings import to_json

TRIALS = 6
SPACE = {"batch_size": range(1, 17), "num_gpus": (1, 2, 3), "epochs_between_evals": (2, 3, 4)}
OWN = {"batch_size": 4, "num_gpus": 0, "epochs_between_evals": 1}


@pytest.fixture(scope="module", autouse=True)
def imports_are_no_garbage():
    """Keeps the collection after each trial from walking through all of TFX."""
    gc.freeze()
    yield
    gc.unfreeze()


class Killed(BaseException):
    pass


class Search:
    """A search for the batch size nearest to 9, which keeps account of what it trains."""

    def __init__(
        self, folder, kill_at=None, reach=lambda size: 1 / (1 + abs(size - 9)), others=SPACE
    ):
        self.folder = folder
        self.others = others
        self.kill_at = kill_at
        self.reach = reach
        self.trained = []

    def fit(self, setup):
        settings = setup.config

        def train_epoch(epoch):
            if len(self.trained) == self.kill_at:
                raise Killed
            self.trained.append((settings.batch_size, epoch))
            return EpochStats(loss=1.0, examples=1)

        return types.SimpleNamespace(
            checkpoint=tf.train.Checkpoint(weight=tf.Variable(0.0)),
            train_epoch=train_epoch,
            evaluate=lambda: {"score": self.reach(settings.batch_size), "other": 0.0},
        )

    def __call__(self, **settings):
        config = LoopConfig(**{"train_epochs": 2, "batch_size": 4, **settings})
        space = keras_tuner.HyperParameters()
        for setting, others in self.others.items():
            among(space, config, setting, *others)
        fn_args = types.SimpleNamespace(
            custom_config={
                "config": to_json(config),
                "code": "",
                "checkpoint_root": str(self.folder / "checkpoints"),
                "tune_trials": TRIALS,
            },
            train_files=["a"],
            eval_files=["b"],
            working_dir=str(self.folder / "tmp"),
        )
        tuner = LoopTuner(
            fn_args,
            Setup(config, create_strategy(0), None),
            self.fit,
            space,
            Goal("score"),
        )
        tuner.search()
        return tuner


def tried(tuner):
    """The settings and the score of each trial."""
    return [(t.hyperparameters.values, t.score) for t in tuner.oracle.trials.values()]


def test_begins_with_the_settings_as_they_are_and_ends_with_none_that_are_worse(tmp_path, capfd):
    tuner = Search(tmp_path)(stop_threshold=0.0)
    trials = tried(tuner)
    assert trials[0] == (OWN, pytest.approx(1 / 6)) and len(trials) == TRIALS
    assert tuner.get_best_hyperparameters()[0].values == max(trials, key=lambda t: t[1])[0]
    for number, (values, _) in enumerate(trials[1:], 1):
        best = max(trials[:number], key=lambda t: t[1])[0]
        assert sum(values[name] != best[name] for name in values) <= 2
    assert capfd.readouterr().out == ""


def test_a_seed_determines_the_search(tmp_path):
    first = tried(Search(tmp_path / "1")())
    assert tried(Search(tmp_path / "2")()) == first
    assert tried(Search(tmp_path / "3")(seed=1)) != first


def test_no_two_trials_have_the_same_settings(tmp_path):
    few = {"batch_size": (9,), "num_gpus": (1,), "epochs_between_evals": (2,)}
    tuner = Search(tmp_path, others=few)()
    assert len({tuple(values.values()) for values, _ in tried(tuner)}) == TRIALS


def test_a_search_ends_with_the_last_settings_there_are(tmp_path, caplog):
    with caplog.at_level("INFO", logger="absl"):
        tuner = Search(tmp_path, others={"batch_size": (8, 9)})()
    assert sorted(values["batch_size"] for values, _ in tried(tuner)) == [4, 8, 9]
    assert "the search ends after 3 of 6 trials" in caplog.text


def test_a_killed_search_goes_on_in_the_midst_of_its_third_trial(tmp_path):
    whole, cut = Search(tmp_path / "whole"), Search(tmp_path / "cut", kill_at=5)
    trials = tried(whole())
    with pytest.raises(Killed):
        cut()
    again = Search(tmp_path / "cut")
    assert tried(again()) == trials
    assert cut.trained + again.trained == whole.trained
    assert again.trained[0][1] == 1


def test_a_trial_that_diverges_does_not_end_the_search(tmp_path):
    tuner = Search(tmp_path, reach=lambda size: math.nan if size == 4 else 1.0)()
    assert tried(tuner)[0][1] is None
    assert tuner.get_best_hyperparameters()[0].values["batch_size"] != 4


def test_trials_that_all_diverge_are_a_mistake(tmp_path):
    with pytest.raises(UserError, match="tune_trials=6: training diverged in every trial"):
        Search(tmp_path, reach=lambda size: math.nan)()


def test_any_other_fault_ends_the_search(tmp_path):
    search = Search(tmp_path)
    mistake = UserError("num_gpus=1: this machine has none")

    def fit(setup):
        raise mistake

    search.fit = fit
    with pytest.raises(Exception, match="num_gpus=1") as caught:
        search()
    assert str(find_user_error(caught.value)) == str(mistake)


def test_the_result_names_its_metric_and_is_all_that_is_left(tmp_path, monkeypatch):
    searched = []

    def search(inputs, properties, folder, print_tuning_summary):
        custom = json_utils.loads(properties["custom_config"])
        searched.append((json.loads(custom["config"])["train_epochs"], print_tuning_summary))
        return Search(tmp_path)()

    monkeypatch.setattr(executor, "search", search)
    best, results = standard_artifacts.HyperParameters(), standard_artifacts.TunerResults()
    best.uri, results.uri = str(tmp_path / "best"), str(tmp_path / "results")
    outputs = {"best_hyperparameters": [best], "tuner_results": [results]}
    custom = json_utils.dumps(
        {"config": to_json(LoopConfig(train_epochs=1, batch_size=4)), "code": ""}
    )
    context = BaseExecutor.Context(tmp_dir=str(tmp_path / "tmp"), unique_id="1")
    TunerExecutor(context).Do({}, outputs, {"custom_config": custom, "train_epochs": 3})
    assert searched == [(3, False)]
    assert results.get_string_custom_property(METRIC) == "score"
    found = json.loads((tmp_path / "results" / "tuner_results.json").read_text())
    assert len(found) == TRIALS
    assert json.loads((tmp_path / "best" / "best_hyperparameters.txt").read_text())["values"] == {
        name: found[0][name] for name in OWN
    }
    assert not list((tmp_path / "checkpoints").iterdir())


def test_a_space_lies_around_the_setting():
    space = keras_tuner.HyperParameters()
    config = types.SimpleNamespace(rate=0.01, width=7)
    around(space, config, "rate", 4.0)
    among(space, config, "width", 8, 1)
    rate, width = space.space
    assert (rate.min_value, rate.default, rate.max_value) == (0.0025, 0.01, 0.04)
    assert (width.values, width.default) == ([1, 7, 8], 7)
