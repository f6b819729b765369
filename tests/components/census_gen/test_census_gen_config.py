import pytest

from components.census_gen.config import CensusConfig
from transforms.base.errors import UserError
from transforms.base.settings import from_json, to_json


def test_settings_survive_json():
    config = CensusConfig(holdout="validation", validation_fraction=0.3, seed=7)
    assert from_json(CensusConfig, to_json(config)) == config


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("holdout", "validate"),
        ("validation_fraction", 0.0),
        ("validation_fraction", 1.0),
        ("validation_fraction", float("nan")),
        ("eval_percent", 0),
        ("eval_percent", 100),
        ("seed", -1),
        ("max_bad_rows", -1),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=f"{field}={value!r}"):
        CensusConfig(**{field: value})


def test_what_is_held_out_is_told_by_all_that_decides_it():
    assert CensusConfig(seed=5).split_identity() == {"holdout": "test"}
    assert CensusConfig(seed=5, holdout="validation").split_identity() == {
        "holdout": "validation",
        "validation_fraction": 0.2,
        "seed": 5,
    }


def test_of_one_file_the_seed_and_the_share_decide_too():
    assert CensusConfig(seed=5).split_identity(one_file=True) == {
        "holdout": "test",
        "eval_percent": 33,
        "seed": 5,
    }
    assert CensusConfig(holdout="validation", eval_percent=20).split_identity(one_file=True) == {
        "holdout": "validation",
        "eval_percent": 20,
        "validation_fraction": 0.2,
        "seed": 0,
    }
