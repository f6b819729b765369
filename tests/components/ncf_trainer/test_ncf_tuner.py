import dataclasses

import keras_tuner
import pytest

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.tuner import _space, tuner_fn

SEARCHED = {
    "gmf": {
        "learning_rate",
        "recency_half_life",
        "num_neg",
        "num_factors",
        "mf_regularization",
    },
    "sasrec": {"learning_rate", "dropout"},
    "next_item": {"history_half_life", "ridge"},
}


@pytest.mark.parametrize("model_type", SEARCHED)
def test_a_search_needs_the_train_split_alone(model_type, fn_args, tune):
    oracle = tune(tuner_fn, fn_args(train_epochs=1, batch_size=500, model_type=model_type))
    assert (oracle.objective.name, oracle.objective.direction) == ("ndcg_at_10", "max")
    assert [0 <= trial.score <= 1 for trial in oracle.trials.values()] == [True, True]
    searched = next(iter(oracle.trials.values())).hyperparameters.values
    assert set(searched) == SEARCHED[model_type]


@pytest.mark.parametrize(
    ("settings", "searched"),
    [
        *(({"model_type": kind}, SEARCHED[kind]) for kind in SEARCHED),
        ({"model_type": "neumf"}, SEARCHED["gmf"]),
        ({"model_type": "mlp"}, SEARCHED["gmf"] - {"num_factors", "mf_regularization"}),
        (
            {"model_type": "sasrec", "next_item_share": 0.1},
            SEARCHED["sasrec"] | SEARCHED["next_item"],
        ),
        # No more negatives than fit in a batch.
        ({"model_type": "gmf", "batch_size": 6}, SEARCHED["gmf"]),
        ({"model_type": "gmf", "num_factors": 1, "num_neg": 1}, SEARCHED["gmf"]),
    ],
)
def test_only_what_a_model_has_is_searched_and_all_of_it_is_allowed(settings, searched):
    config = NcfTrainerConfig(**{"train_epochs": 1, "batch_size": 256, **settings})
    found = _space(config).space
    assert {setting.name for setting in found} == searched
    for setting in found:
        is_choice = isinstance(setting, keras_tuner.engine.hyperparameters.Choice)
        values = setting.values if is_choice else (setting.min_value, setting.max_value)
        assert setting.default == getattr(config, setting.name) and len(set(values)) > 1
        for value in values:
            dataclasses.replace(config, **{setting.name: value})


def test_widths_and_negatives_are_searched_from_half_to_double():
    config = NcfTrainerConfig(num_factors=16, num_neg=4)
    found = {setting.name: setting for setting in _space(config).space}
    assert found["num_factors"].values == [8, 16, 32] and found["num_neg"].values == [2, 4, 8]
    rate = found["learning_rate"]
    assert rate.min_value < config.learning_rate < rate.max_value
    # Some of these values are 0 by themselves.
    assert found["recency_half_life"].values[0] == found["mf_regularization"].values[0] == 0
