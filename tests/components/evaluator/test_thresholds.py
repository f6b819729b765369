import json

import pytest
from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.thresholds import put_thresholds
from pipeline.config import preset
from pipeline.eval_config import eval_config
from pipeline.settings import apply_settings


def thresholds(pipeline, name):
    """Value and change threshold of a metric by the preset "sample"."""
    config = preset(pipeline, "sample")
    found = eval_config(config.definition, config.gate)
    put_thresholds(found, config.gate.limits())
    bounded = {}
    for metric in found.metrics_specs[0].metrics:
        for each in metric.per_slice_thresholds:
            assert list(each.slicing_specs) == [config_pb2.SlicingSpec()]
            bounded[metric.config.split('"')[3]] = each.threshold
    assert bounded.keys() == {bound.metric for bound in config.gate.limits().bounds_on}
    return bounded[name].value_threshold, bounded[name].change_threshold


def test_a_score_has_a_lower_bound_and_may_fall_a_little():
    value, change = thresholds("ncf", "hit_rate_at_10")
    assert value.lower_bound.value == 0.4 and not value.HasField("upper_bound")
    assert change.direction == config_pb2.MetricDirection.HIGHER_IS_BETTER
    assert change.absolute.value == pytest.approx(-0.05)


def test_metrics_have_what_the_gate_sets():
    config = apply_settings(preset("ncf", "sample"), ["full_k=7", "recall_k=50"])
    (specs,) = eval_config(config.definition, config.gate).metrics_specs
    metrics = {
        metric["name"]: metric
        for metric in (json.loads(m.config or "{}") for m in specs.metrics)
        if metric
    }
    assert {name: metric.get("k") for name, metric in metrics.items()} == {
        **dict.fromkeys(("hit_rate_at_10", "ndcg_at_10", "short_lists"), 10),
        **dict.fromkeys(("full_hit_rate", "full_ndcg", "coverage", "popularity", "diversity"), 7),
        "full_recall": 50,
        **dict.fromkeys(("full_mrr", "example_count")),
    }


def test_an_error_has_an_upper_bound_and_may_rise_a_little():
    value, change = thresholds("movielens", "rmse")
    assert value.upper_bound.value == 0.95 and not value.HasField("lower_bound")
    assert change.direction == config_pb2.MetricDirection.LOWER_IS_BETTER
    assert change.absolute.value == pytest.approx(0.02)
