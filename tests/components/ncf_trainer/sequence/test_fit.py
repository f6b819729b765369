import numpy as np
import tensorflow as tf

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import Candidates, RankingData
from components.ncf_trainer.sequence import fit as module
from components.ncf_trainer.sequence.fit import NextItemFit, SasRecFit, _Rows
from components.training.engine import Step
from components.training.loop import EpochStats
from components.training.strategy import create_strategy
from tests.components.ncf_trainer.sequence.histories import histories_of

ITEMS, LENGTH = 12, 5
HISTORIES = histories_of([1, 2, 3], [4, 5, 6, 7, 8, 9], [10, 11])
ALONE = Candidates(np.array([0]), np.array([[0]]), np.array([[True]]))
DATA = RankingData(HISTORIES, ALONE, 3, ITEMS)
SEED = tf.constant([0, 1], tf.int32)


def sasrec(**settings):
    defaults = {"model_type": "sasrec", "max_length": LENGTH, "batch_size": LENGTH, "dropout": 0.0}
    config = NcfTrainerConfig(**{**defaults, **settings})
    return SasRecFit(config, create_strategy(0), DATA)


def test_a_loss_is_the_mean_over_the_places_that_are_filled():
    fit = sasrec()
    rows = type(fit._data)(*(tf.constant(column) for column in fit._data))
    loss, objective = fit.loss(_Rows(rows, SEED))
    filled = rows.places.numpy() >= 0
    assert filled.sum() == len(HISTORIES.items) < filled.size
    expected = fit._sasrec(rows.inputs, rows.places).numpy()[filled]
    logits = expected @ fit._sasrec.item_table.numpy()[:-1].T + fit._sasrec.item_bias.numpy()
    chosen = logits[np.arange(len(logits)), rows.targets.numpy()[filled]]
    wanted = np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen)
    np.testing.assert_allclose([loss, objective], [wanted, wanted], rtol=1e-4)


def test_each_worker_trains_on_its_own_rows_of_all_histories(monkeypatch):
    def targets(worker, workers):
        context = tf.distribute.InputContext(workers, worker, 1)
        monkeypatch.setattr(module, "input_context", lambda strategy: context)
        rows = sasrec()._data
        return rows.targets.numpy()[rows.places.numpy() >= 0].tolist()

    parts = targets(0, 2), targets(1, 2)
    assert all(parts) and sorted(parts[0] + parts[1]) == sorted(HISTORIES.items.tolist())
    assert sorted(targets(0, 1)) == sorted(HISTORIES.items.tolist())


def test_a_step_has_as_many_rows_as_its_items_fill_and_an_example_is_a_place(monkeypatch):
    for batch_size, rows in ((LENGTH, 1), (2 * LENGTH - 1, 1), (2 * LENGTH, 2)):
        fit = sasrec(batch_size=batch_size)
        assert fit._shape == (-(-len(fit._data.inputs) // rows), 1, rows)
    monkeypatch.setattr(module.Engine, "train_epoch", lambda fit, epoch: EpochStats(0.5, 4))
    assert fit.train_epoch(0) == EpochStats(0.5, 4 * LENGTH)


def test_the_seed_decides_what_all_weights_start_from():
    def drawn(seed):
        weights = [weight.numpy() for weight in sasrec(seed=seed)._sasrec.trainable_variables]
        return [weight for weight in weights if np.ptp(weight) > 0]

    for first, same, other in zip(drawn(1), drawn(1), drawn(2), strict=True):
        np.testing.assert_array_equal(first, same)
        assert (first != other).any()


def test_what_is_random_is_drawn_for_each_seed_and_for_each_step_of_all_epochs():
    def drawn_by(seed, number):
        fit, step = sasrec(seed=seed), Step(tf.constant(number, tf.int64), tf.constant(0), 1)
        return fit.batch(fit._data, tf.constant([0]), step).seed.numpy().tolist()

    first, epoch = drawn_by(1, 0), sasrec()._shape[0]
    assert drawn_by(1, 0) == first
    assert first not in (drawn_by(2, 0), drawn_by(1, 1), drawn_by(1, epoch))


def test_the_closed_form_is_blended_in_with_its_share_alone():
    assert sasrec().model.next_item is None
    blended = sasrec(next_item_share=0.25, ridge=1.0)
    assert blended.model.next_item.weights_table.numpy().any()
    trained = {id(variable) for part in blended._parts for variable in part.variables}
    assert id(blended.model.next_item.weights_table) not in trained
    users = tf.constant([0, 1])
    windows = blended.model.histories(users)
    parts = (
        blended._sasrec.last_logits(windows.items, windows.places).numpy(),
        blended.model.next_item(windows).numpy(),
    )
    network, linear = ((x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) for x in parts)
    scores = 0.75 * network + 0.25 * linear
    found = blended.model.all_scores(users).numpy()
    np.testing.assert_allclose(found[:, :-1], scores, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found[:, -1], scores.mean(axis=1), atol=1e-4)


def test_the_closed_form_is_trained_in_one_epoch_on_all_interactions():
    config = NcfTrainerConfig(model_type="next_item", train_epochs=1, ridge=1.0)
    fit = NextItemFit(config, create_strategy(0), DATA)
    assert not fit.model.next_item.weights_table.numpy().any()
    stats = fit.train_epoch(0)
    assert stats.examples == len(HISTORIES.items) and 0 < stats.loss < 1
    scores = fit.model.all_scores(tf.constant([0])).numpy()
    # What came after 3 in nobody's history is no better than anything else.
    assert scores.shape == (1, ITEMS + 1) and fit.model.sasrec is None
    vectors = fit.model.item_vectors().numpy()
    np.testing.assert_array_equal(vectors, fit.model.next_item.weights_table)


def test_a_checkpoint_of_the_closed_form_has_its_weights(tmp_path):
    config = NcfTrainerConfig(model_type="next_item", train_epochs=1, ridge=1.0)
    solved, restored = (NextItemFit(config, create_strategy(0), DATA) for _ in range(2))
    solved.train_epoch(0)
    restored.checkpoint.restore(solved.checkpoint.save(str(tmp_path / "kept")))
    weights = restored.model.next_item.weights_table.numpy()
    assert weights.any()
    np.testing.assert_array_equal(weights, solved.model.next_item.weights_table)
