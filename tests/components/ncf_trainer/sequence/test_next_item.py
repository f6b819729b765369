import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer.sequence import next_item
from components.ncf_trainer.sequence.next_item import NextItem, solve_next_item
from components.ncf_trainer.sequence.windows import HistoryTable
from tests.components.ncf_trainer.sequence.histories import histories_of, random_histories
from transforms.base.errors import UserError

ITEMS = 30


def design(histories, half_life):
    """The decayed histories and the items that came next, row by row."""
    decay = 0.5 ** (1 / half_life) if half_life else 1.0
    inputs, targets = [], []
    for user in range(len(histories.users)):
        items = histories.items[histories.owners == user]
        for at in range(1, len(items)):
            row = np.zeros(ITEMS)
            row[items[:at]] = decay ** np.arange(at)[::-1]
            inputs.append(row)
            targets.append(np.eye(ITEMS)[items[at]])
    return np.array(inputs), np.array(targets)


@pytest.mark.parametrize("half_life", [0.0, 1.0, 5.0])
def test_the_solution_is_that_of_the_normal_equations(half_life):
    histories = random_histories(40, ITEMS)
    inputs, targets = design(histories, half_life)
    gram = inputs.T @ inputs + 2.0 * np.eye(ITEMS)
    expected = np.linalg.solve(gram, inputs.T @ targets)
    solution = solve_next_item(histories, ITEMS, half_life, 2.0)
    np.testing.assert_allclose(solution.weights, expected, atol=1e-5)
    errors = np.sum((inputs @ expected - targets) ** 2) + 2.0 * np.sum(expected**2)
    assert solution.loss == pytest.approx(errors / len(inputs), rel=1e-4)


def test_users_with_one_item_have_no_next_one():
    assert not solve_next_item(histories_of([1], [2]), ITEMS, 5.0, 1.0).weights.any()


def test_scores_are_the_decayed_history_times_the_weights():
    histories = random_histories(8, ITEMS)
    layer = NextItem(ITEMS, 3.0)
    weights = np.random.default_rng(1).normal(size=(ITEMS, ITEMS))
    layer.weights_table.assign(weights)
    table = HistoryTable(histories, len(histories.users), ITEMS, ITEMS)
    scores = layer(table(tf.range(9)))
    for user in range(8):
        items = histories.items[histories.owners == user]
        decayed = np.zeros(ITEMS)
        decayed[items] = 0.5 ** (np.arange(len(items))[::-1] / 3.0)
        np.testing.assert_allclose(scores[user], decayed @ weights, rtol=1e-3, atol=1e-4)
    assert not scores[8].numpy().any()


def test_matrices_that_do_not_fit_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(next_item, "free_memory", lambda: 3 * 4 * 1000**2 - 1)
    with pytest.raises(UserError, match=r"1000 items take .* for 3 matrices"):
        solve_next_item(histories_of([1, 2]), 1000, 5.0, 1.0)
    monkeypatch.setattr(next_item, "free_memory", lambda: 3 << 29)
    with pytest.raises(UserError, match=r"16384 items take 3\.0 GiB .* and 1\.5 GiB are free"):
        solve_next_item(histories_of([1, 2]), 1 << 14, 5.0, 1.0)
    monkeypatch.setattr(next_item, "free_memory", lambda: 3 * 4 * 1000**2)
    solve_next_item(histories_of([1, 2]), 1000, 5.0, 1.0)
