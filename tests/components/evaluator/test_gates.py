import pytest

from components.evaluator.gates import Limits
from pipeline.config import preset
from pipeline.pipelines.census import CensusGate
from pipeline.pipelines.movielens import RatingGate
from pipeline.pipelines.ncf import NcfGate
from pipeline.pipelines.registry import pipelines
from transforms.base.errors import UserError
from transforms.base.settings import from_json, to_json


@pytest.mark.parametrize(
    ("gate", "bounds", "message"),
    [
        (NcfGate, {"min_hit_rate": 0, "min_ndcg": 0.2}, "min_hit_rate=0: must be above 0"),
        (NcfGate, {"min_hit_rate": 0.2, "min_ndcg": 1}, "min_ndcg=1: must be above 0 and below 1"),
        (RatingGate, {"max_rmse": 0}, "max_rmse=0: must be above 0 and at most 5 stars"),
        (RatingGate, {"max_rmse": 5.1}, "max_rmse=5.1: must be above 0 and at most 5 stars"),
        (CensusGate, {"min_accuracy": 0.764, "min_auc": 0.9}, "min_accuracy=0.764: must be above"),
        (CensusGate, {"min_accuracy": 0.8, "min_auc": 0.5}, "min_auc=0.5: must be above 0.5"),
    ],
)
def test_a_bound_that_a_model_without_skill_keeps_is_a_mistake(gate, bounds, message):
    with pytest.raises(UserError, match=message):
        gate(**bounds, max_regression=0.01)


def test_a_regression_is_not_below_nothing():
    with pytest.raises(UserError, match=r"max_regression=-0.1: must be at least 0"):
        RatingGate(max_rmse=0.9, max_regression=-0.1)
    assert RatingGate(max_rmse=5, max_regression=0).limits().bounds[0].limit == 5


def test_a_bound_is_kept_by_its_own_limit_and_by_no_value_that_is_none():
    (upper,) = RatingGate(max_rmse=0.9, max_regression=0).limits().bounds
    lower, _, *off = NcfGate(min_hit_rate=0.5, min_ndcg=0.2, max_regression=0).limits().bounds
    assert [upper.keeps(value) for value in (0.89, 0.9, 0.91, None)] == [True, True, False, False]
    assert upper.on and lower.on and [bound.on for bound in off] == [False, False]
    assert [lower.keeps(value) for value in (0.49, 0.5, 0.51, None)] == [False, True, True, False]


def test_a_gate_is_a_bound_for_each_of_its_marked_settings():
    gate = CensusGate(min_accuracy=0.8, min_auc=0.9, max_regression=0.01)
    accuracy, auc = gate.limits().bounds
    assert (accuracy.metric, accuracy.setting, accuracy.limit) == ("accuracy", "min_accuracy", 0.8)
    assert (auc.metric, auc.setting, auc.limit) == ("auc", "min_auc", 0.9)
    assert accuracy.higher_is_better and gate.limits().max_regression == 0.01
    assert gate.limits().by_setting() == {"min_accuracy": 0.8, "min_auc": 0.9}
    assert len(accuracy.rules) == 2 and not gate.accept_drift
    (rmse,) = RatingGate(max_rmse=0.9, max_regression=0).limits().bounds
    assert not rmse.higher_is_better


def test_a_limit_of_a_run_takes_the_place_of_that_of_its_setting_and_keeps_its_rules():
    limits = NcfGate(min_hit_rate=0.5, min_ndcg=0.2, max_regression=0.03).limits()
    changed = limits.with_limits({"min_ndcg": 0.3, "seed": 7})
    assert changed.by_setting() == {**limits.by_setting(), "min_ndcg": 0.3}
    assert changed.max_regression == 0.03
    assert [bound.setting for bound in changed.bounds_on] == ["min_hit_rate", "min_ndcg"]
    with pytest.raises(UserError, match=r"min_ndcg=1\.5: must be"):
        limits.with_limits({"min_ndcg": 1.5})


@pytest.mark.parametrize("pipeline", pipelines())
def test_what_a_model_is_judged_by_survives_json_with_its_rules(pipeline):
    limits = preset(pipeline).gate.limits()
    assert limits.bounds and all(bound.rules for bound in limits.bounds)
    assert from_json(Limits, to_json(limits)) == limits
