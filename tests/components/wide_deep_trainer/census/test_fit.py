from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from components.training.strategy import create_strategy
from components.wide_deep_trainer.census.config import CensusTrainerConfig
from components.wide_deep_trainer.census.features import (
    AGE_BOUNDARIES,
    CATEGORICAL,
    HASHED,
    NUMERIC,
    REPEATED,
    VOCABULARY,
    WIDE,
    quantile,
    scaled,
    value,
)
from components.wide_deep_trainer.census.fit import CensusFit, _parts, _sizes
from transforms.base.errors import UserError

WORDS = 5
VOCABULARIES = SimpleNamespace(vocabulary_size_by_name=lambda name: WORDS)


def rows(count=20):
    """Transformed rows, of which every fourth has the label."""
    ids = {*WIDE, *CATEGORICAL, *map(value, REPEATED)}
    columns = {name: np.arange(count) % WORDS for name in ids}
    columns |= {
        of(name): np.zeros(count, np.float32) for name in NUMERIC for of in (scaled, quantile)
    }
    return {**columns, "label": (np.arange(count) % 4 == 0).astype(np.int64)}


def fit(train=None, evaluation=None, **settings):
    config = CensusTrainerConfig(**{"batch_size": 5, "hidden_units": (3,), **settings})
    data = [rows() if columns is None else columns for columns in (train, evaluation)]
    return CensusFit(config, create_strategy(0), VOCABULARIES, *data)


def test_each_feature_has_an_id_for_what_its_vocabulary_lacks_or_as_many_as_buckets():
    sizes = _sizes(CensusTrainerConfig(hash_buckets=70), VOCABULARIES)
    assert sizes == {
        **dict.fromkeys((*VOCABULARY, *map(value, REPEATED)), WORDS + 1),
        **dict.fromkeys(HASHED, 70),
        "age_bucket": len(AGE_BOUNDARIES) + 1,
    }


@pytest.mark.parametrize(
    ("model_type", "optimizer", "kinds"),
    [
        ("wide", "adagrad", ["Ftrl"]),
        ("deep", "adagrad", ["Adagrad"]),
        ("deep", "adamw", ["AdamW"]),
        ("wide_deep", "adamw", ["Ftrl", "AdamW"]),
    ],
)
def test_each_part_has_its_optimiser_with_its_rate(model_type, optimizer, kinds):
    decay = 0.25 if optimizer == "adamw" else 0.0
    settings = {"wide_learning_rate": 0.5, "deep_learning_rate": 0.125, "weight_decay": decay}
    trained = fit(model_type=model_type, deep_optimizer=optimizer, **settings)
    assert [type(part.optimizer).__name__ for part in trained._parts] == kinds
    for part in trained._parts:
        is_wide = isinstance(part.optimizer, keras.optimizers.Ftrl)
        assert float(part.optimizer.learning_rate) == (0.5 if is_wide else 0.125)
        owner = trained.model.wide if is_wide else trained.model.deep
        assert {id(v) for v in part.variables} == {id(v) for v in owner.trainable_variables}
        if optimizer == "adamw" and not is_wide:
            assert part.optimizer.weight_decay == 0.25


def test_a_schedule_is_of_the_network_and_of_all_its_steps():
    config = CensusTrainerConfig(batch_size=5, train_epochs=10, schedule="cosine")
    model = fit(hidden_units=(3,)).model
    wide, deep = _parts(model, config, rows=20)
    assert float(wide.optimizer.learning_rate) == pytest.approx(config.wide_learning_rate)
    # Of 40 steps, 2 of which rise.
    schedule = deep.optimizer._learning_rate
    assert float(schedule(2)) == pytest.approx(config.deep_learning_rate)
    assert float(schedule(40)) == pytest.approx(0, abs=1e-6) and float(schedule(39)) > 0


@pytest.mark.parametrize(("label", "bracket"), [(0, "<=50K"), (1, ">50K")])
@pytest.mark.parametrize(("split", "use"), [("train", "train"), ("evaluation", "evaluate")])
def test_rows_of_one_label_are_nothing_to_work_with(label, bracket, split, use):
    one = {**rows(), "label": np.full(20, label)}
    told = f"all 20 rows to {use} on have the label {bracket}: a classifier and its AUC need both"
    with pytest.raises(UserError, match=f"^{told}"):
        fit(**{split: one})


def test_the_seed_decides_what_a_model_starts_from():
    first, same, other = (fit(seed=seed).model(tensors()).numpy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def tensors():
    return {name: tf.constant(column) for name, column in rows().items()}


def test_the_metrics_are_of_the_rows_to_evaluate_on(monkeypatch):
    trained = fit()
    asked = []
    found = np.where(rows()["label"] == 1, 0.9, 0.1)
    monkeypatch.setattr(trained, "_predict", lambda columns: asked.append(columns) or found)
    assert trained.evaluate() == {"accuracy": 1.0, "auc": 1.0}
    assert asked == [trained._evaluation]


def test_a_probability_of_a_half_is_a_no():
    trained = fit()
    trained._predict = lambda columns: np.full(20, 0.5)
    assert trained.evaluate() == {"accuracy": 0.75, "auc": 0.5}
