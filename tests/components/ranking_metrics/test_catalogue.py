import itertools

import numpy as np
import pytest
from tensorflow_model_analysis.metrics import metric_types

from components.ranking_metrics import full_ranking
from components.ranking_metrics.catalogue import Coverage, Diversity, Popularity
from components.ranking_metrics.metrics import HitRate, LeaveOneOutNDCG, MeanReciprocalRank

ITEMS = 12


def told(top=(), history=(), rank=1.0):
    return {
        full_ranking.TOP: np.array([*top, -1]),
        full_ranking.HISTORY: np.array([*history, -1, -1]),
        full_ranking.ITEMS: np.array([ITEMS]),
        full_ranking.RANK: np.array([rank], np.float32),
    }


def evaluate(metric, users, model_name="", parts=2):
    """The metric over users, each given as what the model tells, in some accumulators."""
    counted, derived = metric.computations(eval_config=None, model_names=[model_name])
    several = [counted.combiner.create_accumulator() for _ in range(parts)]
    for number, user in enumerate(users):
        inputs = metric_types.StandardMetricInputs(
            labels=np.array([1.0]),
            predictions={model_name: np.array([0.5])} if model_name else np.array([0.5]),
            example_weights=np.array([1.0]),
            transformed_features={model_name: user} if model_name else user,
        )
        at = number % parts
        several[at] = counted.combiner.add_input(several[at], inputs)
    merged = counted.combiner.merge_accumulators(several)
    return derived.result(counted.combiner.extract_output(merged))[derived.keys[0]]


@pytest.mark.parametrize("parts", [1, 2, 9])
@pytest.mark.parametrize("model_name", ["", "baseline"])
def test_what_is_recommended_equals_a_plain_count(parts, model_name):
    rng = np.random.default_rng(0)
    tops = [rng.permutation(ITEMS)[:5] for _ in range(6)]
    histories = [rng.permutation(ITEMS)[: rng.integers(1, 6)] for _ in tops]
    users = [told(top, history) for top, history in zip(tops, histories, strict=True)]
    lists = [{*top[:3].tolist()} for top in tops]

    def found(metric):
        return evaluate(metric, users, model_name, parts)

    assert found(Coverage(k=3)) == pytest.approx(len(set.union(*lists)) / ITEMS)
    shares = [
        np.mean([item in history for history in histories]) for some in lists for item in some
    ]
    assert found(Popularity(k=3)) == pytest.approx(np.mean(shares))
    differing = [1 - len(one & other) / 3 for one, other in itertools.combinations(lists, 2)]
    assert found(Diversity(k=3)) == pytest.approx(np.mean(differing))


def test_whom_nothing_is_ranked_for_does_not_count():
    users = [told((3, 4), (1,)), told((3, 2), (5,)), told(rank=0)]
    for metric in (Coverage(k=2), Popularity(k=2), Diversity(k=2)):
        assert evaluate(metric, users) == evaluate(metric, users[:2])
    for metric in (HitRate, LeaveOneOutNDCG, MeanReciprocalRank):
        assert evaluate(metric(rank_key=full_ranking.RANK), users) == 1
    assert np.isnan(evaluate(HitRate(rank_key=full_ranking.RANK), users[2:]))


def test_one_list_for_everybody_has_no_diversity_and_lists_with_nothing_in_common_have_all():
    assert evaluate(Diversity(k=2), [told((3, 4))] * 4) == pytest.approx(0)
    assert evaluate(Diversity(k=2), [told((3, 4)), told((1, 2))]) == 1
    assert np.isnan(evaluate(Diversity(k=2), [told((3, 4))]))


def test_without_a_user_there_is_nothing_to_tell():
    for metric in (Coverage(), Popularity(), Diversity()):
        assert np.isnan(evaluate(metric, []))
    assert np.isnan(evaluate(Popularity(), [told(), told()]))


@pytest.mark.parametrize("model_name", ["", "candidate"])
def test_ranks_that_the_model_tells_are_taken_as_they_are(model_name):
    users = [told(rank=rank) for rank in (1, 10, 11, 40)]

    def found(metric, users=users):
        return evaluate(metric(rank_key=full_ranking.RANK), users, model_name)

    assert found(HitRate) == 0.5
    assert found(LeaveOneOutNDCG) == pytest.approx((1 + 1 / np.log2(11)) / 4)
    assert found(MeanReciprocalRank) == pytest.approx((1 + 1 / 10 + 1 / 11 + 1 / 40) / 4)
    assert np.isnan(found(MeanReciprocalRank, [*users, told(rank=np.nan)]))


def test_metrics_of_one_k_share_their_counts_and_names_tell_them_apart():
    computations = [
        metric.computations(eval_config=None) for metric in (Coverage(5), Diversity(5), Coverage(9))
    ]
    counts = [of[0].keys[0] for of in computations]
    assert counts[0] == counts[1] != counts[2]
    assert [of[1].keys[0].name for of in computations[:2]] == ["coverage", "diversity"]
    ranks = [
        metric.computations(eval_config=None)[0].keys[0]
        for metric in (HitRate(5, rank_key="r"), MeanReciprocalRank(9, rank_key="r"), HitRate(5))
    ]
    assert ranks[0] == ranks[1] != ranks[2]


@pytest.mark.parametrize("model_name", ["", "baseline"])
@pytest.mark.parametrize(
    ("metric", "features"),
    [
        (Diversity(k=3), {full_ranking.TOP, full_ranking.HISTORY, full_ranking.ITEMS}),
        (HitRate(rank_key=full_ranking.RANK), {full_ranking.RANK}),
    ],
)
def test_a_metric_asks_for_what_it_reads_of_its_own_model(metric, features, model_name):
    counted = metric.computations(eval_config=None, model_names=[model_name])[0]
    (preprocessor,) = counted.preprocessors
    wanted = preprocessor.include_filter["transformed_features"]
    assert set(wanted[model_name] if model_name else wanted) == features
    assert {"labels", "predictions", "example_weights"} <= preprocessor.include_filter.keys()
    if model_name:
        assert set(preprocessor.include_filter["labels"]) == {model_name}


@pytest.mark.parametrize("metric", [Coverage, HitRate])
def test_keys_tell_models_outputs_and_weights_apart(metric):
    def keys(model="", output="", weighted=False):
        computations = metric().computations(
            eval_config=None,
            model_names=[model],
            output_names=[output],
            sub_keys=[None],
            example_weighted=weighted,
        )
        return {key for of in computations for key in of.keys}

    assert len(keys() | keys(model="m") | keys(output="o") | keys(weighted=True)) == 8
    assert {key.sub_key for key in keys()} == {None}


def test_classes_can_be_neither_aggregated_nor_weighted():
    for asked in ({"aggregation_type": "micro"}, {"class_weights": {0: 1.0}}):
        with pytest.raises(ValueError, match="coverage has no classes"):
            Coverage().computations(eval_config=None, **asked)
