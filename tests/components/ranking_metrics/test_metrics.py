import numpy as np
import pytest
from tensorflow_model_analysis.metrics import metric_types

from components.ranking_metrics.metrics import HitRate, LeaveOneOutNDCG, ShortLists


def evaluate(metric, lists, weighted=False):
    """The metric over users, each given as labels and scores, and items and a weight if asked."""
    ranks, derived = metric.computations(eval_config=None, example_weighted=weighted)
    parts = [ranks.combiner.create_accumulator() for _ in range(2)]
    for number, (labels, scores, *more) in enumerate(lists):
        items, weight = more or ([], 1.0)
        inputs = metric_types.StandardMetricInputs(
            labels=np.array(labels, np.float32),
            predictions=np.array(scores, np.float32),
            features={"item_id": np.array(items)},
            example_weights=np.array([weight]),
        )
        parts[number % 2] = ranks.combiner.add_input(parts[number % 2], inputs)
    counted = ranks.combiner.merge_accumulators(parts)
    return derived.result(ranks.combiner.extract_output(counted))[derived.keys[0]]


def test_a_metric_is_the_mean_over_users():
    lists = [([1, 0], [0.9, 0.1]), ([1, 0], [0.1, 0.9])]
    assert evaluate(HitRate(k=1), lists) == 0.5
    # The first and the third meet in one process.
    assert evaluate(HitRate(k=1), [*lists, lists[0]]) == pytest.approx(2 / 3)
    lists = [([1, 0, 0], [0.9, 0.1, 0.2]), ([1, 0, 0], [0.2, 0.9, 0.1])] * 2
    assert evaluate(LeaveOneOutNDCG(k=2), lists) == pytest.approx((1 + 1 / np.log2(3)) / 2)


def test_a_negative_that_is_the_held_out_item_does_not_count():
    lists = [([1, 0, 0, 0], [0.5, 0.9, 0.1, 0.2], [7, 7, 8, 9], 1.0)]
    assert evaluate(HitRate(k=1), lists) == 0.0
    assert evaluate(HitRate(k=1, item_key="item_id"), lists) == 1.0
    assert evaluate(ShortLists(k=3, item_key="item_id"), lists) == 1.0


def test_users_have_weights_where_examples_do():
    lists = [([1, 0], [0.9, 0.1], [1, 2], 3.0), ([1, 0], [0.1, 0.9], [1, 2], 1.0)]
    assert evaluate(HitRate(k=1), lists, weighted=True) == 0.75
    assert evaluate(HitRate(k=1), lists) == 0.5


def test_metrics_of_one_k_share_their_ranks_and_others_do_not():
    ranks = [
        metric.computations(eval_config=None)[0].keys[0]
        for metric in (HitRate(k=5), LeaveOneOutNDCG(k=5), HitRate(k=10), HitRate(5, item_key="i"))
    ]
    assert ranks[0] == ranks[1] and len(set(ranks)) == 3


def test_a_list_of_fewer_than_k_negatives_does_not_count_and_is_counted():
    lists = [([1, 0, 0], [0.1, 0.8, 0.9]), ([1, 0], [0.9, 0.1]), ([1], [0.9])]
    assert evaluate(HitRate(k=2), lists) == 0.0
    assert evaluate(ShortLists(k=2), lists) == 2.0
    assert evaluate(ShortLists(k=1), lists) == 1.0
    assert np.isnan(evaluate(HitRate(k=2), lists[1:]))


@pytest.mark.parametrize("item_key", [None, "item_id"])
def test_ids_are_asked_for_where_they_are_read(item_key):
    ranks, _ = HitRate(item_key=item_key).computations(eval_config=None)
    asked = [set(of.include_filter["features"]) for of in ranks.preprocessors if item_key]
    assert asked == ([{"item_id"}] if item_key else [])


def test_classes_can_be_neither_aggregated_nor_weighted():
    for asked in ({"aggregation_type": "micro"}, {"class_weights": {0: 1.0}}):
        with pytest.raises(ValueError, match="hit_rate_at_10 has no classes"):
            HitRate().computations(eval_config=None, **asked)


def test_keys_tell_models_apart():
    keys = {
        computation.keys[0]
        for model in ("candidate", "baseline")
        for computation in HitRate().computations(eval_config=None, model_names=[model])
    }
    assert len(keys) == 4
