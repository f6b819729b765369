import numpy as np
import pytest
import tensorflow as tf

from components.ranking_metrics.batched import hits_and_gains
from components.ranking_metrics.rank import K, hit, ndcg, rank_of_held_out

LONGEST = 30


def batched(scores, present):
    """What lists have, as arrays."""
    found = hits_and_gains(tf.constant(scores, tf.float32), tf.constant(present))
    return [column.numpy() for column in found]


def test_many_lists_at_once_have_what_each_has_by_itself():
    rng = np.random.default_rng(0)
    # Some scores are equal, and what is no candidate has as high a score as any.
    scores = rng.integers(0, 20, (200, LONGEST)).astype(np.float32)
    lengths = rng.integers(2, LONGEST + 1, 200)
    present = np.arange(LONGEST) < lengths[:, np.newaxis]
    labels = np.eye(1, LONGEST)[0]
    ranks = [
        rank_of_held_out(labels[:length], row[:length])
        for row, length in zip(scores, lengths, strict=True)
    ]
    hits, gains, counts = batched(scores, present)
    np.testing.assert_array_equal(hits, [hit(rank, K) for rank in ranks])
    np.testing.assert_allclose(gains, [ndcg(rank, K) for rank in ranks], rtol=1e-6)
    np.testing.assert_array_equal(counts, lengths - 1 >= K)
    assert {1.0, float(K), K + 1.0} <= set(ranks) and {K, K + 1} <= set(lengths.tolist())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_only_a_candidates_score_that_is_not_finite_is_told(bad):
    scores = np.zeros((3, LONGEST), np.float32)
    scores[:, 0] = 1
    scores[1, 5] = scores[2, 0] = bad
    present = np.ones((3, LONGEST), bool)
    hits, gains, _ = batched(scores, present)
    assert hits[0] == gains[0] == 1 and np.isnan([*hits[1:], *gains[1:]]).all()
    present[1, 5] = False
    hits, gains, _ = batched(scores, present)
    assert hits[1] == gains[1] == 1
