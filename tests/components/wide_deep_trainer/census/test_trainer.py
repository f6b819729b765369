import dataclasses
import json
import os
import types

import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from components.training.loop import HISTORY_FILE
from components.wide_deep_trainer.census import trainer as census_trainer
from components.wide_deep_trainer.census.config import CensusTrainerConfig
from components.wide_deep_trainer.census.features import CATEGORICAL, NUMERIC
from components.wide_deep_trainer.census.fit import classification_metrics
from components.wide_deep_trainer.census.trainer import run_fn
from components.wide_deep_trainer.census.tuner import _space, tuner_fn
from pipeline.pipelines.census import PIPELINE
from tests.components.wide_deep_trainer.conftest import example
from transforms.base.errors import UserError

SMALL = {
    "wide": {"train_epochs": 6, "wide_learning_rate": 0.2},
    "deep": {"train_epochs": 6, "deep_learning_rate": 0.1},
    "wide_deep": {"train_epochs": 6, "wide_learning_rate": 0.2, "deep_learning_rate": 0.1},
    "best": {
        "train_epochs": 8,
        "batch_size": 64,
        "embedding_size": 4,
        "hidden_units": (32, 16),
        "ensemble_size": 4,
        "deep_learning_rate": 0.01,
    },
}


def config(name):
    preset = "best" if name == "best" else "wide_deep_2018"
    model_type = PIPELINE.presets["best"].trainer.model_type if name == "best" else name
    return dataclasses.replace(
        PIPELINE.presets[preset].trainer,
        model_type=model_type,
        epochs_between_evals=3,
        **SMALL[name],
    )


def history(args):
    with open(os.path.join(args.model_run_dir, HISTORY_FILE), encoding="utf-8") as file:
        return json.load(file)["epochs"]


@pytest.mark.parametrize("name", SMALL)
def test_trains_a_model_that_serves_anywhere(name, census_rows, census_transformed, fn_args, ask):
    args = fn_args(config(name), census_transformed)
    run_fn(args)

    epochs = history(args)
    majority = 1 - np.mean([row["label"] for row in census_rows["eval"]])
    assert epochs[-1]["accuracy"] > majority + 0.03
    assert epochs[-1]["auc"] > 0.8
    assert epochs[-1]["loss"] < epochs[0]["loss"]
    assert ["accuracy" in e for e in epochs[:3]] == [False, False, True]
    assert not os.listdir(args.custom_config["checkpoint_root"])
    if name not in ("wide_deep", "best"):
        return

    rows = [{key: row[key] for key in (*NUMERIC, *CATEGORICAL)} for row in census_rows["eval"][:50]]
    rows += [{**rows[0], "native_country": "Atlantis", "occupation": "Astronaut"}]
    rows += [{**rows[0], **{key: f" {rows[0][key]} " for key in CATEGORICAL}}]
    blank = {**dict.fromkeys(NUMERIC, -1), **dict.fromkeys(CATEGORICAL, "")}
    columns = {key: [row[key] for row in [*rows, blank]] for key in blank}
    answer = ask(args.serving_model_dir, columns, [example(row) for row in [*rows, {}]])
    scores = np.array(answer["score"])
    assert scores.shape == (53, 1)
    # As in adult.data, where a blank is before each value.
    assert scores[51] == pytest.approx(scores[0], abs=1e-6)
    assert np.all((scores > 0) & (scores < 1))
    np.testing.assert_allclose(answer["serving_default"], scores, atol=1e-6)
    labels = [row["label"] for row in census_rows["eval"][:50]]
    assert np.mean((scores[:50, 0] > 0.5) == labels) > 0.7


@pytest.mark.slow
def test_two_workers_train_as_well_as_one(census_transformed, fn_args, on_two_workers, tmp_path):
    alone = fn_args(config("wide_deep"), census_transformed)
    run_fn(alone)
    together = types.SimpleNamespace(**vars(alone))
    together.model_run_dir = str(tmp_path / "run_together")
    together.serving_model_dir = str(tmp_path / "model_together")
    assert on_two_workers(run_fn, together) == [0, 0]
    for one, two in zip(history(alone), history(together), strict=True):
        assert two["examples"] == one["examples"]
        assert two["loss"] == pytest.approx(one["loss"], abs=0.02)
    assert history(together)[-1]["auc"] == pytest.approx(history(alone)[-1]["auc"], abs=0.02)
    assert "score" in tf.saved_model.load(together.serving_model_dir).signatures


def test_a_seed_determines_the_history(census_transformed, fn_args, tmp_path, monkeypatch):
    monkeypatch.setattr(census_trainer, "export_model", lambda *args: None)

    def losses(seed, folder):
        short = dataclasses.replace(config("best"), train_epochs=2, seed=seed)
        args = fn_args(short, census_transformed)
        args.model_run_dir = str(tmp_path / folder)
        run_fn(args)
        return [e["loss"] for e in history(args)]

    first = losses(1, "first")
    np.testing.assert_allclose(losses(1, "again"), first, rtol=1e-5)
    assert losses(2, "other") != first


def test_a_search_needs_the_train_split_alone(census_transformed, fn_args, tune):
    short = dataclasses.replace(config("wide"), train_epochs=1)
    oracle = tune(tuner_fn, fn_args(short, census_transformed))
    assert (oracle.objective.name, oracle.objective.direction) == ("auc", "max")
    assert [0 < trial.score < 1 for trial in oracle.trials.values()] == [True, True]


@pytest.mark.parametrize(
    ("model_type", "optimizer", "searched"),
    [
        ("wide", "adagrad", {"wide_learning_rate"}),
        ("deep", "adagrad", {"deep_learning_rate", "dropout"}),
        ("deep", "adamw", {"deep_learning_rate", "dropout", "weight_decay"}),
        ("wide_deep", "adagrad", {"wide_learning_rate", "deep_learning_rate", "dropout"}),
    ],
)
def test_only_what_a_model_has_is_searched_and_to_both_sides(model_type, optimizer, searched):
    own = {"wide_learning_rate": 0.02, "deep_learning_rate": 0.01, "dropout": 0.15}
    own |= {"weight_decay": 0.02} if optimizer == "adamw" else {}
    settings = CensusTrainerConfig(model_type=model_type, deep_optimizer=optimizer, **own)
    found = _space(settings).space
    assert {setting.name for setting in found} == searched
    for setting in found:
        is_choice = isinstance(setting, keras_tuner.engine.hyperparameters.Choice)
        ends = setting.values if is_choice else (setting.min_value, setting.max_value)
        assert ends[0] < own[setting.name] == setting.default < ends[-1]
        for allowed in ends:
            dataclasses.replace(settings, **{setting.name: allowed})


def test_more_gpus_than_there_are_is_an_error(census_transformed, fn_args):
    wanted = dataclasses.replace(config("wide"), num_gpus=64)
    with pytest.raises(UserError, match="num_gpus=64"):
        run_fn(fn_args(wanted, census_transformed))


def test_a_training_ends_once_the_accuracy_is_reached(census_transformed, fn_args, monkeypatch):
    goals = []
    monkeypatch.setattr(
        census_trainer, "train_and_export", lambda args, setup, fit, goal, to: goals.append(goal)
    )
    run_fn(fn_args(config("wide"), census_transformed))
    assert goals == [("accuracy", True)]


def test_metrics_equal_their_definitions():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 10, 300) / 10
    positive = rng.random(300) < scores
    wins = scores[positive][:, None] - scores[~positive][None]
    metrics = classification_metrics(scores, positive)
    assert metrics["auc"] == pytest.approx(np.mean((wins > 0) + 0.5 * (wins == 0)))
    assert metrics["accuracy"] == np.mean((scores > 0.5) == positive)
    assert classification_metrics(np.full(300, 0.3), positive)["auc"] == 0.5
