import numpy as np
import pytest
from tensorflow_model_analysis.metrics import metric_types

from components.ranking_metrics.metrics import HitRate, LeaveOneOutNDCG


def evaluate(metric, lists):
    """The metric over users, each given as labels and scores."""
    ranks, derived = metric.computations(eval_config=None)
    counted = ranks.combiner.create_accumulator()
    for labels, scores in lists:
        inputs = metric_types.StandardMetricInputs(
            labels=np.array(labels, np.float32), predictions=np.array(scores, np.float32)
        )
        counted = ranks.combiner.add_input(counted, inputs)
    return derived.result(ranks.combiner.extract_output(counted))[derived.keys[0]]


def test_a_metric_is_the_mean_over_users():
    lists = [([1, 0], [0.9, 0.1]), ([1, 0], [0.1, 0.9])]
    assert evaluate(HitRate(k=1), lists) == 0.5
    assert evaluate(LeaveOneOutNDCG(), lists) == pytest.approx((1 + 1 / np.log2(3)) / 2)


def test_a_user_who_has_touched_every_item_does_not_count():
    lists = [([1, 0], [0.1, 0.9]), ([1], [0.9])]
    assert evaluate(HitRate(k=1), lists) == 0.0
    assert np.isnan(evaluate(HitRate(k=1), lists[1:]))
