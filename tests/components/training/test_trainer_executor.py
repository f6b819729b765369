import types

import pytest
from tfx.components.trainer.executor import GenericExecutor
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from components.ncf_trainer.config import NcfTrainerConfig
from components.training.executor import TrainerExecutor
from transforms.base.errors import UserError
from transforms.base.settings import from_json, to_json


def test_the_best_hyperparameters_take_the_place_of_settings(monkeypatch):
    own = NcfTrainerConfig(num_factors=4, learning_rate=0.1)
    fn_args = types.SimpleNamespace(
        hyperparameters={"space": [], "values": {"learning_rate": 0.02}},
        custom_config={"config": to_json(own), "code": "1"},
    )
    monkeypatch.setattr(GenericExecutor, "_GetFnArgs", lambda *args: fn_args)
    model = standard_artifacts.Model()
    tuned = TrainerExecutor()._GetFnArgs({}, {"model": [model]}, {}).custom_config
    used = from_json(NcfTrainerConfig, tuned["config"])
    assert (used.num_factors, used.learning_rate, tuned["code"]) == (4, 0.02, "1")
    assert model.get_string_custom_property("settings") == tuned["config"]


def test_the_settings_of_a_run_take_the_place_of_the_trainers(monkeypatch):
    own = NcfTrainerConfig(train_epochs=1, seed=2, learning_rate=0.1)
    custom = json_utils.dumps({"config": to_json(own), "code": "1"})
    used = []
    monkeypatch.setattr(GenericExecutor, "Do", lambda *args: used.append(args[-1]))
    of_run = {"train_epochs": 3, "seed": 4, "learning_rate": 9.0}
    TrainerExecutor().Do({}, {}, {"custom_config": custom, **of_run})
    config = from_json(NcfTrainerConfig, json_utils.loads(used[0]["custom_config"])["config"])
    assert (config.train_epochs, config.seed, config.learning_rate) == (3, 4, 0.1)


def test_other_code_than_was_compiled_is_refused_first():
    code = "0@components.ncf_trainer.trainer"
    custom = json_utils.dumps({"config": to_json(NcfTrainerConfig()), "code": code})
    with pytest.raises(
        UserError, match=r"^components\.ncf_trainer\.trainer: the code in this image"
    ):
        TrainerExecutor().Do({}, {}, {"custom_config": custom})
