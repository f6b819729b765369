import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer.data import Candidates
from components.ncf_trainer.evaluation import RankingEvaluation
from components.ranking_metrics.rank import HIT_RATE, NDCG, K, hit, ndcg
from components.training.strategy import create_strategy

LISTS, LONGEST = 7, 15


@pytest.mark.parametrize("together", [1, 3, 7, 100])
def test_the_means_are_over_all_lists_that_count_however_many_are_scored_at_once(together):
    rng = np.random.default_rng(0)
    # A user's score of an item, by their rows.
    table = rng.normal(size=(LISTS, 40)).astype(np.float32)
    users = rng.permutation(LISTS)
    items = np.array([rng.permutation(40)[:LONGEST] for _ in range(LISTS)])
    lengths = np.array([15, 15, 11, 10, 15, 11, 2])
    present = np.arange(LONGEST) < lengths[:, np.newaxis]
    seen = []

    def score(users, items):
        seen.append((users.dtype, items.dtype))
        return tf.gather(tf.gather(table, users), items, batch_dims=1)

    evaluation = RankingEvaluation(
        create_strategy(0), Candidates(users, items, present), score, together, np.int32
    )
    ranks = [
        1 + np.sum(table[user, row[1:length]] >= table[user, row[0]])
        for user, row, length in zip(users, items, lengths, strict=True)
        if length > K
    ]
    expected = {HIT_RATE: np.mean([hit(rank, K) for rank in ranks])}
    expected[NDCG] = np.mean([ndcg(rank, K) for rank in ranks])
    assert len(ranks) == 5 and 0 < expected[HIT_RATE] < 1
    # A second time gives the same, and not the mean of both.
    for _ in range(2):
        assert evaluation() == pytest.approx(expected)
    assert set(seen) == {(tf.int32, tf.int32)}
