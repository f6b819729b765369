import pytest

from components.wide_deep_trainer.census.config import CensusTrainerConfig
from pipeline.pipelines.census import PIPELINE
from transforms.base.errors import UserError
from transforms.base.settings import from_json, to_json


@pytest.mark.parametrize("name", PIPELINE.presets)
def test_presets_survive_json(name):
    trainer = PIPELINE.presets[name].trainer
    assert from_json(CensusTrainerConfig, to_json(trainer)) == trainer


def test_defaults_are_those_of_2018():
    config = CensusTrainerConfig()
    assert (config.train_epochs, config.epochs_between_evals, config.batch_size) == (40, 2, 40)
    assert config.hidden_units == (100, 75, 50, 25)
    assert (config.embedding_size, config.hash_buckets) == (8, 1000)
    assert config.model_type == "wide_deep" and config.encoding == "basic"
    assert (config.wide_learning_rate, config.deep_learning_rate) == (0.02, 0.01)
    assert (config.dropout, config.ensemble_size, config.schedule) == (0, 1, "constant")
    assert (config.deep_optimizer, config.weight_decay) == ("adagrad", 0)
    assert config.stop_threshold is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_type", "wide-deep"),
        ("encoding", "periodic"),
        ("deep_optimizer", "sgd"),
        ("schedule", "linear"),
        ("train_epochs", 0),
        ("batch_size", 0),
        ("epochs_between_evals", 0),
        ("num_gpus", -1),
        ("hash_buckets", 0),
        ("embedding_size", 0),
        ("ensemble_size", 0),
        ("quantile_bins", 1),
        ("hidden_units", ()),
        ("hidden_units", (100, 0)),
        ("dropout", 1.0),
        ("wide_learning_rate", 0.0),
        ("deep_learning_rate", float("nan")),
        ("weight_decay", -0.1),
        ("weight_decay", 0.1),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=f"^{field}="):
        CensusTrainerConfig(**{field: value})


@pytest.mark.parametrize(
    "settings",
    [
        {"train_epochs": 1, "batch_size": 1, "epochs_between_evals": 1, "num_gpus": 0},
        {"hash_buckets": 1, "embedding_size": 1, "quantile_bins": 2, "ensemble_size": 1},
        {"hidden_units": (1,), "dropout": 0.0},
        {"deep_optimizer": "adamw", "weight_decay": 0.1},
        {"mixed_precision": True, "model_type": "deep"},
    ],
)
def test_the_least_of_a_setting_is_allowed(settings):
    config = CensusTrainerConfig(**settings)
    assert {name: getattr(config, name) for name in settings} == settings


def test_a_linear_model_has_nothing_to_compute_in_half_precision():
    with pytest.raises(UserError, match=r"^mixed_precision=True: must be false if model_type is w"):
        CensusTrainerConfig(mixed_precision=True, model_type="wide")
