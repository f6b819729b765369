import types

from tfx.components.trainer.executor import GenericExecutor
from tfx.types import standard_artifacts

from components.ncf_trainer.config import NcfTrainerConfig
from components.training.executor import TrainerExecutor
from transforms.checks import from_json, to_json


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
