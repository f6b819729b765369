import pytest

from components.ncf_trainer.config import NcfTrainerConfig
from transforms.base.errors import UserError
from transforms.base.settings import from_json, to_json


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_type": "neumff"}, "model_type='neumff': .*did you mean neumf"),
        ({"layers": (7, 4)}, r"layers=\(7, 4\): must be two or more positive widths"),
        ({"layers": (8,)}, "layers="),
        ({"batch_size": 4}, r"batch_size=4: must be at least 1 \+ num_neg \(5\)"),
        ({"mlp_regularization": (0.1,)}, "mlp_regularization=.* 4 values"),
        ({"learning_rate": float("nan")}, "learning_rate=nan: must be above 0"),
        ({"train_epochs": 0}, "train_epochs=0: must be at least 1"),
        ({"recency_half_life": -1.0}, "recency_half_life=-1.0: must be at least 0"),
        ({"history_half_life": -1.0}, "history_half_life=-1.0: must be at least 0"),
        ({"ridge": 0.0}, "ridge=0.0: must be above 0"),
        ({"dropout": 1.0}, "dropout=1.0: must be at least 0 and below 1"),
        ({"next_item_share": 1.0}, "next_item_share=1.0: must be at least 0 and below 1"),
        ({"num_factors": 0}, "num_factors=0: must be at least 1"),
        ({"blocks": 0}, "blocks=0: must be at least 1"),
        ({"heads": 0}, "heads=0: must be at least 1"),
        ({"max_length": 0}, "max_length=0: must be at least 1"),
        ({"num_neg": 0}, "num_neg=0: must be at least 1"),
        ({"sampled_items": -1}, "sampled_items=-1: must be at least 0"),
        ({"mf_regularization": -0.1}, "mf_regularization=-0.1: must be at least 0"),
        ({"layers": (8, 0)}, "layers="),
        (
            {"mlp_regularization": (0.1, 0.0, -0.1, 0.0)},
            "mlp_regularization=.*: must be nothing, or one value a layer, at least 0",
        ),
        ({"model_type": "sasrec", "heads": 3}, r"heads=3: must be a divisor of num_factors \(8\)"),
        ({"model_type": "sasrec", "batch_size": 199}, r"batch_size=199: .*max_length \(200\)"),
        ({"model_type": "next_item"}, "train_epochs=2: must be 1 if model_type is next_item"),
    ],
)
def test_names_the_setting_the_value_and_the_rule(settings, message):
    with pytest.raises(UserError, match=message):
        NcfTrainerConfig(**settings)


def test_survives_json():
    config = NcfTrainerConfig(layers=(32, 8), mlp_regularization=(0.1, 0.0), stop_threshold=0.68)
    assert from_json(NcfTrainerConfig, to_json(config)) == config


@pytest.mark.parametrize(
    "settings",
    [
        {"num_factors": 1, "blocks": 1, "heads": 1, "max_length": 1, "num_neg": 1},
        {"batch_size": 2, "num_neg": 1},
        {"layers": (2, 1), "mlp_regularization": (0.0, 0.0)},
        {"dropout": 0.0, "next_item_share": 0.0, "history_half_life": 0.0, "ridge": 1e-9},
        # What a model does not have is not held against it.
        {"heads": 3, "max_length": 1000},
        {"model_type": "sasrec", "batch_size": 200, "max_length": 200, "heads": 8},
        {"model_type": "next_item", "train_epochs": 1},
    ],
)
def test_the_least_of_a_setting_is_allowed(settings):
    config = NcfTrainerConfig(**settings)
    assert {name: getattr(config, name) for name in settings} == settings


def test_defaults_are_those_of_2018():
    config = NcfTrainerConfig()
    assert (config.train_epochs, config.batch_size, config.num_neg) == (2, 256, 4)
    assert (config.model_type, config.loss, config.schedule) == ("neumf", "logistic", "constant")
    assert (config.num_factors, config.layers) == (8, (64, 32, 16, 8))
    assert (config.learning_rate, config.mf_regularization) == (0.001, 0)
    assert config.mlp_regularization == () and config.recency_half_life == 0
    assert config.stop_threshold is None
