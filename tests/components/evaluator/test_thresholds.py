import pytest
from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.thresholds import put_thresholds
from pipeline.config import preset
from pipeline.eval_config import eval_config


def thresholds(pipeline, name):
    """Value and change threshold of a metric by the preset "sample"."""
    config = preset(pipeline, "sample")
    found = eval_config(config.definition)
    put_thresholds(found, config.gate.limits())
    bounded = {}
    for metric in found.metrics_specs[0].metrics:
        for each in metric.per_slice_thresholds:
            assert list(each.slicing_specs) == [config_pb2.SlicingSpec()]
            bounded[metric.config.split('"')[3]] = each.threshold
    assert bounded.keys() == {bound.metric for bound in config.gate.limits().bounds}
    return bounded[name].value_threshold, bounded[name].change_threshold


def test_a_score_has_a_lower_bound_and_may_fall_a_little():
    value, change = thresholds("ncf", "hit_rate_at_10")
    assert value.lower_bound.value == 0.4 and not value.HasField("upper_bound")
    assert change.direction == config_pb2.MetricDirection.HIGHER_IS_BETTER
    assert change.absolute.value == pytest.approx(-0.05)


def test_an_error_has_an_upper_bound_and_may_rise_a_little():
    value, change = thresholds("movielens", "rmse")
    assert value.upper_bound.value == 0.95 and not value.HasField("lower_bound")
    assert change.direction == config_pb2.MetricDirection.LOWER_IS_BETTER
    assert change.absolute.value == pytest.approx(0.02)
