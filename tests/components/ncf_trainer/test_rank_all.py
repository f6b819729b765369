import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer import rank_all as module
from components.ncf_trainer.rank_all import rank_all
from components.ranking_metrics import full_ranking

USERS, ITEMS = 7, 130


def ranked(scores, held_out, histories, lengths=None, scored=None):
    """What the graph makes of scores [users, items + 1], found by their users' rows."""
    table = tf.constant(scores, tf.float32)
    lengths = np.ones(len(held_out)) if lengths is None else lengths

    def score(users):
        if scored is not None:
            tf.numpy_function(lambda some: scored.extend(some.tolist()), [users], [])
        return tf.gather(table, users)

    @tf.function
    def run():
        return rank_all(
            score,
            table.shape[1] - 1,
            tf.range(len(held_out), dtype=tf.int64),
            tf.constant(held_out, tf.int64),
            tf.constant(histories, tf.int64),
            tf.constant(lengths, tf.int64),
        )

    return {name: value.numpy() for name, value in run().items()}


@pytest.mark.parametrize("pairs", [1, 300, 1 << 20])
def test_ranks_are_exact_with_ties_against_the_model_however_many_are_scored_at_once(
    pairs, monkeypatch
):
    monkeypatch.setattr(module, "_PAIRS_TOGETHER", pairs)
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 40, (USERS, ITEMS + 1)).astype(float)
    histories = np.array([rng.permutation(ITEMS)[:9] for _ in range(USERS)])
    histories[2, 4:] = ITEMS
    held_out = [next(i for i in range(u, ITEMS) if i not in histories[u]) for u in range(USERS)]
    held_out[3] = ITEMS
    told = ranked(scores, held_out, histories)
    for user in range(USERS):
        left = np.setdiff1d(np.arange(ITEMS), histories[user])
        others = np.setdiff1d(left, held_out[user])
        rank = 1 + np.sum(scores[user, others] >= scores[user, held_out[user]])
        assert told[full_ranking.RANK][user, 0] == rank
        best = left[np.argsort(-scores[user, left], kind="stable")][: full_ranking.LONGEST]
        np.testing.assert_array_equal(told[full_ranking.TOP][user], best)
    expected = np.where(histories < ITEMS, histories, -1)
    np.testing.assert_array_equal(told[full_ranking.HISTORY], expected)


def test_where_few_items_are_left_the_best_end_with_places_of_none():
    told = ranked(np.arange(5.0)[np.newaxis], [0], [[1, 2]])
    assert told[full_ranking.TOP][0].tolist() == [3, 0] + [-1] * (full_ranking.LONGEST - 2)
    assert told[full_ranking.RANK].tolist() == [[2.0]] and told[full_ranking.ITEMS] == [[4]]


def test_a_single_item_is_ranked_too():
    told = ranked(np.arange(2.0)[np.newaxis], [0], [[1]])
    assert told[full_ranking.TOP][0].tolist() == [0] + [-1] * (full_ranking.LONGEST - 1)
    assert told[full_ranking.RANK].tolist() == [[1.0]] and told[full_ranking.ITEMS] == [[1]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_leaves_no_rank_to_that_user_alone(bad):
    scores = np.tile(np.arange(6.0), (2, 1))
    scores[0, 1] = bad
    told = ranked(scores, [4, 4], [[0], [0]])[full_ranking.RANK][:, 0]
    assert np.isnan(told[0]) and told[1] == 1


@pytest.mark.parametrize("asked", [[], [1], [0, 3, 4], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("pairs", [1, 20, 1 << 20])
def test_those_without_a_history_are_neither_scored_nor_ranked(asked, pairs, monkeypatch):
    monkeypatch.setattr(module, "_PAIRS_TOGETHER", pairs)
    rng = np.random.default_rng(0)
    scores, held_out = rng.permutation(5 * 7).reshape(5, 7), rng.integers(0, 6, 5)
    everyone = ranked(scores, held_out, np.full((5, 1), 6))
    lengths = np.isin(np.arange(5), asked) * 2
    scored: list[int] = []
    told = ranked(scores, held_out, np.full((5, 1), 6), lengths, scored)
    assert scored == asked
    without = lengths == 0
    assert (everyone[full_ranking.RANK] > 0).all() and not told[full_ranking.RANK][without].any()
    assert (told[full_ranking.TOP][without] == -1).all()
    for name in (full_ranking.RANK, full_ranking.TOP):
        np.testing.assert_array_equal(told[name][asked], everyone[name][asked])
        assert told[name].shape == everyone[name].shape
