import heapq
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ranking_metrics.rank import count_negatives, hit, ndcg, rank_of_held_out

_SCORES = st.lists(st.integers(-3, 3).map(float), min_size=2, max_size=30)


def _labels(count: int, positive: int) -> np.ndarray:
    return (np.arange(count) == positive).astype(np.float32)


@settings(max_examples=200, deadline=None)
@given(scores=_SCORES, data=st.data())
def test_rank_is_the_worst_place_that_a_stable_sort_can_give(scores, data):
    positive = data.draw(st.integers(0, len(scores) - 1))
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i == positive))
    expected = order.index(positive) + 1
    assert rank_of_held_out(_labels(len(scores), positive), np.array(scores)) == expected


@settings(max_examples=100, deadline=None)
@given(scores=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40, unique=True), data=st.data())
def test_without_ties_hits_equal_the_ncf_authors_heap(scores, data):
    positive = data.draw(st.integers(0, len(scores) - 1))
    k = data.draw(st.integers(1, 12))
    top = heapq.nlargest(k, range(len(scores)), key=scores.__getitem__)
    rank = rank_of_held_out(_labels(len(scores), positive), np.array(scores))
    assert hit(rank, k) == float(positive in top)
    expected = math.log(2) / math.log(top.index(positive) + 2) if positive in top else 0.0
    assert ndcg(rank, k) == pytest.approx(expected)


@pytest.mark.parametrize("count", [2, 5, 16, 17, 100, 101])
def test_a_constant_model_ranks_the_positive_last_wherever_it_stands(count):
    for positive in (0, count // 2, count - 1):
        assert rank_of_held_out(_labels(count, positive), np.zeros(count)) == count


def test_padding_past_the_candidates_is_not_looked_at():
    assert rank_of_held_out(_labels(3, 0), np.array([1.0, 0.0, 0.5, np.nan, 9.0])) == 1


def test_a_negative_that_repeats_the_held_out_item_is_left_out():
    scores, items = np.array([0.5, 0.5, 0.9]), np.array([7, 7, 8])
    assert rank_of_held_out(_labels(3, 0), scores) == 3
    assert rank_of_held_out(_labels(3, 0), scores, items) == 2
    # Whatever is above 0 is the positive.
    assert rank_of_held_out(_labels(3, 0) / 2, scores, items) == 2


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_gives_nan(bad):
    rank = rank_of_held_out(_labels(3, 0), np.array([1.0, bad, 0.0]))
    assert math.isnan(rank) and math.isnan(hit(rank, 10)) and math.isnan(ndcg(rank, 10))


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 0], [1]])
def test_a_list_without_exactly_one_positive_is_an_error(labels):
    with pytest.raises(ValueError, match="one positive among at least two"):
        rank_of_held_out(np.array(labels, np.float32), np.zeros(len(labels)))


def test_too_few_scores_are_an_error():
    with pytest.raises(ValueError, match="2 scores for 3 candidates"):
        rank_of_held_out(_labels(3, 0), np.zeros(2))


def test_a_negative_that_repeats_the_held_out_item_is_none():
    labels = np.array([1, 0, 0, 0], np.float32)
    assert count_negatives(labels) == 3
    assert count_negatives(labels, np.array([7, 8, 7, 9])) == 2
    assert count_negatives(labels[:1], np.array([7])) == 0
