import dataclasses
import json
import os

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.training.loop import HISTORY_FILE
from components.training.transformed_data import read_columns
from components.wide_deep_trainer.ratings import preprocessing as rating_preprocessing
from components.wide_deep_trainer.ratings import trainer as rating_trainer
from components.wide_deep_trainer.ratings.config import RatingTrainerConfig
from components.wide_deep_trainer.ratings.trainer import run_fn
from components.wide_deep_trainer.ratings.tuner import _space, tuner_fn
from pipeline.pipelines.movielens import PIPELINE
from transforms.vectorize_genres import GENRES

SCHEMA = rating_preprocessing.__file__.replace("preprocessing.py", "schema.pbtxt")
USERS, ITEMS = 60, 40
UNKNOWN = 999_999

SMALL = {
    "deep": {
        "learning_rate": 0.01,
        "batch_size": 32,
        "hidden_units": (16, 16),
        "dropout": 0.0,
        "user_embedding_size": 4,
        "item_embedding_size": 4,
    },
    "factors": {
        "learning_rate": 0.02,
        "num_factors": 4,
        "ensemble_size": 2,
        "factor_regularization": 0.02,
        "schedule": "cosine",
    },
}


def ratings():
    """Even users rate half a star above the mean, even items are 0.75 above it, odd ones below."""
    rng = np.random.default_rng(0)
    users, items = (x.ravel() for x in np.meshgrid(np.arange(USERS), np.arange(ITEMS)))
    user_effect, item_effect = (np.where(x % 2, -1.0, 1.0) for x in (users, items))
    stars = 3.25 + 0.5 * user_effect + 0.75 * item_effect + rng.normal(0, 0.2, users.shape)
    genres = np.eye(19, dtype=np.int64)[items // 2 % 19]
    return {
        "user_id": users * 10 + 3,
        "item_id": items * 7 + 100_000,
        "timestamp": 900_000_000 + rng.integers(0, 10**8, users.shape),
        "genres": genres,
        "rating": stars,
    }


def example(columns, rows):
    """A serialised Example of some rows; a single number is one of them."""
    values = {name: np.ravel(column[rows]) for name, column in columns.items()}
    feature = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=column))
        if name == "rating"
        else tf.train.Feature(int64_list=tf.train.Int64List(value=column))
        for name, column in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture(scope="module")
def transformed(transform, tmp_path_factory):
    columns = ratings()
    evaluated = np.random.default_rng(1).random(USERS * ITEMS) < 0.2
    examples = {
        split: [
            example(columns, rows)
            for user in np.unique(columns["user_id"])
            if len(rows := np.flatnonzero(chosen & (columns["user_id"] == user)))
        ]
        for split, chosen in {"train": ~evaluated, "eval": evaluated}.items()
    }
    root = tmp_path_factory.mktemp("ratings")
    return transform(rating_preprocessing.preprocessing_fn, SCHEMA, examples, root)


@pytest.mark.parametrize("model_type", SMALL)
def test_trains_a_model_that_serves_anywhere(model_type, transformed, fn_args, ask):
    config = RatingTrainerConfig(
        model_type=model_type, train_epochs=12, epochs_between_evals=6, **SMALL[model_type]
    )
    args = fn_args(config, transformed)
    run_fn(args)

    with open(os.path.join(args.model_run_dir, HISTORY_FILE), encoding="utf-8") as file:
        epochs = json.load(file)["epochs"]
    assert [e["epoch"] for e in epochs if "rmse" in e] == [6, 12]
    # The ratings' standard deviation is 0.92, the noise's 0.2.
    assert epochs[-1]["mae"] < epochs[-1]["rmse"] < 0.35

    rows = {k: v[:3].copy() for k, v in ratings().items() if k != "rating"}
    rows["user_id"][1] = UNKNOWN
    rows["item_id"][2] = UNKNOWN
    # One rating, and a list of two.
    examples = [example(rows, 0), example(rows, slice(1, 3))]
    answer = ask(args.serving_model_dir, {k: v.tolist() for k, v in rows.items()}, examples)
    scores = np.array(answer["score"])
    assert scores.shape == (3,)
    assert np.all((scores >= 0.5) & (scores <= 5))
    # Of an unknown user what the item says, of an unknown item what the user says.
    np.testing.assert_allclose(scores, [4.5, 4.0, 3.75], atol=0.4)
    lists = [[scores[0], 0.0], scores[1:]]
    np.testing.assert_allclose(answer["serving_default"], lists, rtol=1e-5)
    assert answer["transformed"] == [
        "genre_mask",
        "item_row",
        "scaled_time",
        "timestamp",
        "user_row",
    ]


def test_a_search_needs_the_train_split_alone(transformed, fn_args, tune):
    config = RatingTrainerConfig(model_type="factors", train_epochs=1, **SMALL["factors"])
    oracle = tune(tuner_fn, fn_args(config, transformed))
    assert (oracle.objective.name, oracle.objective.direction) == ("rmse", "min")
    assert [0 < trial.score < 5 for trial in oracle.trials.values()] == [True, True]


@pytest.mark.parametrize("model_type", SMALL)
def test_only_what_a_model_has_is_searched_and_to_both_sides(model_type):
    own = {"learning_rate": 0.01, "dropout": 0.3}
    if model_type == "factors":
        own = dataclasses.asdict(PIPELINE.presets["best"].trainer)
    found = {
        setting.name: setting
        for setting in _space(RatingTrainerConfig(**{**own, "model_type": model_type})).space
    }
    regularized = {"factor_regularization", "bias_regularization"}
    searched = {"dropout"} if model_type == "deep" else {"num_factors", *regularized}
    assert found.keys() == {"learning_rate", *searched}
    rate = found.pop("learning_rate")
    assert rate.min_value < own["learning_rate"] < rate.max_value
    for name, setting in found.items():
        assert setting.values[0] < own[name] < setting.values[-1]
        # The preset's half and double; of dropout, which has no double, steps of one size.
        if name != "dropout":
            assert setting.values == [own[name] / 2, own[name], 2 * own[name]]
        else:
            np.testing.assert_allclose(np.diff(setting.values), setting.values[1])


def test_factors_are_at_least_one():
    config = RatingTrainerConfig(model_type="factors", num_factors=1)
    (factors,) = (s for s in _space(config).space if s.name == "num_factors")
    assert factors.values == [1, 2]


def test_a_training_ends_once_the_error_is_as_low(transformed, fn_args, monkeypatch):
    goals = []
    monkeypatch.setattr(
        rating_trainer, "train_and_export", lambda args, setup, fit, goal, to: goals.append(goal)
    )
    run_fn(fn_args(RatingTrainerConfig(**SMALL["deep"]), transformed))
    assert goals == [("rmse", False)]


def test_what_is_trained_on_is_what_was_rated(transformed):
    output = tft.TFTransformOutput(str(transformed / "transform_output"))
    files = [str(transformed / split / "*") for split in ("train", "eval")]
    found = read_columns(files, output.transformed_feature_spec())
    raw = ratings()
    assert len(found["rating"]) == len(raw["rating"])
    # Everything but the rows of ids is known by the time, which no two ratings share.
    order, raw_order = (np.argsort(of["timestamp"], kind="stable") for of in (found, raw))
    found = {name: column[order] for name, column in found.items()}
    raw = {name: column[raw_order] for name, column in raw.items()}
    np.testing.assert_array_equal(found["timestamp"], raw["timestamp"])
    assert len(np.unique(raw["timestamp"])) == len(raw["timestamp"])
    np.testing.assert_array_equal(found["rating"], raw["rating"].astype(np.float32))
    masks = raw["genres"] @ (1 << np.arange(len(GENRES)))
    np.testing.assert_array_equal(found["genre_mask"], masks)
    # Of the train split alone.
    assert found["scaled_time"].mean() == pytest.approx(0, abs=0.1)
    assert found["scaled_time"].std() == pytest.approx(1, abs=0.1)
    for name, count in (("user", USERS), ("item", ITEMS)):
        pairs = {*zip(raw[f"{name}_id"].tolist(), found[f"{name}_row"].tolist(), strict=True)}
        assert len(pairs) == count and {row for _, row in pairs} == set(range(count))
