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
    ],
)
def test_names_the_setting_the_value_and_the_rule(settings, message):
    with pytest.raises(UserError, match=message):
        NcfTrainerConfig(**settings)


def test_survives_json():
    config = NcfTrainerConfig(layers=(32, 8), mlp_regularization=(0.1, 0.0), stop_threshold=0.68)
    assert from_json(NcfTrainerConfig, to_json(config)) == config
