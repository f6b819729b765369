import pytest

from components.movielens_gen.config import LeaveOneOutConfig, RatingSplitConfig
from transforms.base.errors import UserError
from transforms.base.settings import from_json, to_json


def test_settings_survive_json():
    config = LeaveOneOutConfig(min_ratings=5, eval_negatives=17, holdout="validation", seed=3)
    assert from_json(LeaveOneOutConfig, to_json(config)) == config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_ratings": 1}, "min_ratings=1: must be at least 2"),
        ({"split": "global_time"}, "split_time=0: must be above 0, as split=global_time splits"),
        ({"split_time": 7}, "split_time=7: must be 0 unless split=global_time"),
        ({"split_time": -1}, "split_time=-1: must be at least 0"),
        ({"min_ratings": 2, "holdout": "validation"}, "min_ratings=2: must be at least 3"),
        ({"eval_negatives": 9}, "eval_negatives=9: must be at least 10; among fewer"),
        ({"max_bad_rows": -1}, "max_bad_rows=-1: must be at least 0"),
        ({"seed": -1}, "seed=-1: must be from 0 to 4294967295"),
        ({"seed": 2**32}, "seed=4294967296: must be from 0"),
        ({"holdout": "validate"}, "holdout='validate'.*did you mean validation"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(settings, message):
    with pytest.raises(UserError, match=message):
        LeaveOneOutConfig(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"min_ratings": 2, "eval_negatives": 10, "max_bad_rows": 0},
        {"min_ratings": 3, "holdout": "validation"},
        {"split": "global_time", "split_time": 1},
    ],
)
def test_the_least_of_a_setting_is_allowed(settings):
    config = LeaveOneOutConfig(**settings)
    assert {name: getattr(config, name) for name in settings} == settings


def test_what_is_held_out_is_told_by_all_that_decides_it():
    assert LeaveOneOutConfig(seed=5, max_bad_rows=3).split_identity() == {
        "holdout": "test",
        "min_ratings": 20,
        "eval_negatives": 100,
        "string_ids": False,
    }
    assert LeaveOneOutConfig(full_users=0).split_identity()["full_users"] == 0
    by_time = LeaveOneOutConfig(split="global_time", split_time=7).split_identity()
    assert (by_time["split"], by_time["split_time"]) == ("global_time", 7)
    assert RatingSplitConfig(seed=5, max_unmatched=3).split_identity() == {
        "holdout": "test",
        "eval_percent": 20,
        "seed": 5,
    }
    assert RatingSplitConfig(seed=5, split="global_time", split_time=7).split_identity() == {
        "holdout": "test",
        "eval_percent": 20,
        "split": "global_time",
        "split_time": 7,
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "global_time"}, "split_time=0: must be above 0, as split=global_time splits"),
        ({"split_time": 7}, "split_time=7: must be 0 unless split=global_time"),
        ({"split": "leave_one_out"}, "split='leave_one_out': must be one of random, global_time"),
    ],
)
def test_a_setting_of_ratings_out_of_range_is_refused_by_name(settings, message):
    with pytest.raises(UserError, match=message):
        RatingSplitConfig(**settings)


@pytest.mark.parametrize("scale", ["10", "5:1", "3:3", "a:b", "nan:5", "0:inf", "1:2:3", ":"])
def test_a_scale_is_two_numbers_that_rise(scale):
    with pytest.raises(UserError, match=f"rating_scale='{scale}': must be of the form LEAST:MOST"):
        RatingSplitConfig(rating_scale=scale)


def test_a_scale_is_a_part_of_what_is_compared():
    assert RatingSplitConfig(rating_scale="-1:10").split_identity()["rating_scale"] == "-1:10"
