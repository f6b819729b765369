import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import Candidates, Histories, RankingData
from components.ncf_trainer.fit import NcfFit, _Choices, _training_arrays
from components.ncf_trainer.sequence import fit as sequence_fit
from components.ranking_metrics.rank import HIT_RATE
from components.training.checkpoints import Checkpoints
from components.training.engine import Step
from components.training.loop import Goal, run_loop
from components.training.strategy import create_strategy
from pipeline.config import preset
from tests.components.ncf_trainer.fit_groups import build, fit

SASREC = {
    "model_type": "sasrec",
    "num_factors": 16,
    "max_length": 24,
    "batch_size": 480,
    "train_epochs": 6,
    "sampled_items": 64,
}

SCRIPT = pathlib.Path(__file__).with_name("fit_groups.py")
ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture(scope="module")
def single():
    return fit()


def start(logical_cpus, settings=None, **environment):
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(logical_cpus), json.dumps(settings or {})],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def test_a_run_is_decided_by_its_seed(single):
    losses, hit_rate, replicas = fit()
    assert (losses, hit_rate, replicas) == single
    assert fit(seed=1, train_epochs=1)[0] != losses[:1]


ALONE = Candidates(np.array([0]), np.array([[0]]), np.array([[True]]))


def small(candidates=ALONE, **settings):
    """A fit of two users, three of whose five interactions are in a batch."""
    histories = Histories(np.array([0, 1]), np.array([0, 0, 0, 0, 1]), np.array([3, 0, 2, 1, 3]))
    config = NcfTrainerConfig(**{"batch_size": 6, "num_neg": 1, "model_type": "gmf", **settings})
    return NcfFit(config, create_strategy(0), RankingData(histories, candidates, 2, 40))


def metrics(*lists):
    """The metrics of lists of scores, the held-out item's first."""
    longest = max(map(len, lists))
    scores = np.array([[*each, *[0.0] * (longest - len(each))] for each in lists], np.float32)
    present = np.arange(longest) < np.array([[len(each)] for each in lists])
    users, items = np.arange(len(lists)), np.arange(longest)
    run = small(Candidates(users, np.broadcast_to(items, scores.shape), present))
    run.model = lambda users, items: tf.gather(tf.gather(scores, users), items, batch_dims=1)
    return list(run.evaluate().values())


def test_the_metrics_are_those_of_the_ranks():
    first = [2.0] + [1.0] * 10
    tenth = [2.0] + [3.0] * 9 + [1.0]
    tied_with_ten = [2.0] * 11
    assert metrics(first, tenth, tied_with_ten) == pytest.approx(
        [2 / 3, (1 + np.log(2) / np.log(11)) / 3]
    )


def test_a_user_with_fewer_negatives_than_ten_does_not_count():
    assert metrics([2.0] + [1.0] * 9, [2.0] + [3.0] * 10) == [0.0, 0.0]


def test_a_score_that_is_not_finite_makes_the_metrics_nan():
    assert np.isnan(metrics([2.0] + [1.0] * 10, [2.0, np.nan] + [1.0] * 9)).all()


def test_rows_for_unknown_ids_are_the_mean_of_the_others_after_an_epoch():
    run = small(learning_rate=0.1)
    run.train_epoch(0)
    for table in (run.model.user_table.numpy(), run.model.item_table.numpy()):
        np.testing.assert_allclose(table[-1], table[:-1].mean(axis=0), rtol=1e-4)


def test_the_order_is_drawn_for_each_seed_epoch_and_worker():
    def order(seed, epoch, worker):
        run, seen = small(seed=seed, batch_size=2), []
        run._worker = worker
        run._run_epoch = lambda order, *others: seen.append(order.numpy().ravel().tolist())
        run.train_epoch(epoch)
        return seen[0]

    orders = [order(0, 0, 0), order(1, 0, 0), order(0, 1, 0), order(0, 0, 1)]
    assert all(sorted(each) == list(range(5)) for each in orders)
    assert len(set(map(tuple, orders))) == 4


def test_each_positive_counts_with_its_negatives():
    config, _, run = build(num_neg=4)
    positives = 1000 * 12
    examples = run.train_epoch(0).examples
    assert positives * 5 <= examples < positives * 5 + config.batch_size


def test_regularisation_shrinks_what_it_is_of():
    def norm(rate):
        _, _, run = build(mf_regularization=rate, mlp_regularization=(rate, 0.0, 0.0, 0.0))
        run.train_epoch(0)
        return float(np.linalg.norm(run.model.item_table.numpy()))

    assert norm(1.0) < 0.5 * norm(0.0)


def test_negatives_are_drawn_for_each_epoch():
    # All interactions are one batch and the weights stay where they are: only negatives differ.
    run = small(batch_size=10, learning_rate=1e-30, schedule="constant")
    run.model.item_table.assign(np.random.default_rng(0).normal(size=run.model.item_table.shape))
    run.model.user_table.assign(tf.ones_like(run.model.user_table))
    first, again, second = (run.train_epoch(epoch).loss for epoch in (0, 0, 1))
    assert first == again != second


def test_negatives_are_drawn_for_each_seed():
    def negatives(seed):
        run, step = small(seed=seed), Step(tf.constant(0, tf.int64), tf.constant(0), 1)
        return run.batch(run._data, tf.constant([0, 1, 2]), step).items[:, 1:].numpy().tolist()

    assert negatives(1) == negatives(1) != negatives(2)


def test_older_interactions_weigh_less_and_the_mean_weight_is_1():
    histories = Histories(np.array([4, 7]), np.array([0, 0, 0, 1]), np.array([3, 0, 2, 3]))
    weights = _training_arrays(histories, 5, 2.0, np.int32)[2]
    expected = np.array([0.5, 0.5**0.5, 1.0, 1.0])
    np.testing.assert_allclose(weights, expected / expected.mean(), rtol=1e-6)


@pytest.mark.parametrize("loss", ["logistic", "softmax"])
def test_a_positive_counts_by_its_weight_with_its_own_negatives(loss):
    run, rng = small(loss=loss), np.random.default_rng(0)
    for table in (run.model.user_table, run.model.item_table):
        table.assign(rng.normal(size=table.shape))

    def loss_of(rows, *weights):
        users, items = tf.constant([0, 1])[rows], tf.constant([[3, 9, 1], [0, 2, 5]])[rows]
        return float(run.loss(_Choices(users, items, tf.constant(weights)))[0])

    first, second = loss_of(slice(1), 1.0), loss_of(slice(1, 2), 1.0)
    assert abs(first - second) > 0.1
    assert loss_of(slice(2), 0.5, 1.5) == pytest.approx((0.5 * first + 1.5 * second) / 2)


@pytest.mark.parametrize(("schedule", "halfway"), [("constant", 0.25), ("cosine", 0.125)])
def test_the_rate_is_lowered_only_where_the_schedule_says_so(schedule, halfway):
    run = small(learning_rate=0.25, schedule=schedule, train_epochs=2)
    run.train_epoch(0)
    (part,) = run._parts
    assert float(part.optimizer._decayed_lr(tf.float32)) == pytest.approx(halfway)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("settings", [{}, {**SASREC, "next_item_share": 0.2}])
def test_a_killed_run_continues_to_the_same_history(settings, tmp_path):
    def history(folder, kill_before=None):
        config, strategy, run = build(**{**settings, "train_epochs": 3, "schedule": "cosine"})
        train_epoch = run.train_epoch

        def train_or_die(epoch):
            if epoch == kill_before:
                raise KilledError
            return train_epoch(epoch)

        run.train_epoch = train_or_die
        done = run_loop(
            config,
            strategy=strategy,
            fit=run,
            goal=Goal(HIT_RATE),
            checkpoints=Checkpoints(str(tmp_path / folder)),
            log_dir=str(tmp_path / "log"),
        )
        return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in done.epochs]

    with pytest.raises(KilledError):
        history("cut", kill_before=2)
    assert history("cut") == history("whole")


def test_two_devices_train_as_one(single):
    losses, hit_rate, replicas = result(start(2))
    assert replicas == 2
    assert losses == pytest.approx(single[0], rel=1e-2)
    assert hit_rate == pytest.approx(single[1], abs=0.01)


@pytest.mark.slow
def test_two_workers_with_a_shard_each_train_as_well_as_one(single, clusters):
    workers = [start(1, TF_CONFIG=config) for config in clusters()]
    for losses, hit_rate, replicas in map(result, workers):
        assert replicas == 2
        assert hit_rate == pytest.approx(single[1], abs=0.01)
        assert np.isfinite(losses).all()


@pytest.mark.parametrize("settings", [{"xla": True}, {"mixed_precision": True}])
def test_compiled_or_in_bfloat16_it_trains_as_well(single, settings):
    assert fit(**settings)[1] == pytest.approx(single[1], abs=0.02)


@pytest.mark.parametrize("settings", [{"xla": True}, {"mixed_precision": True}, {"seed": 1}])
def test_sasrec_trains_as_well_whatever_compiles_or_computes_it(settings):
    assert fit(**SASREC, **settings)[1] > 0.8


def test_sasrec_trains_the_same_by_rows_as_wide_as_a_gpu_wants_them(monkeypatch):
    settings = {**SASREC, "train_epochs": 1, "sampled_items": 0}
    narrow = fit(**settings)[0]
    monkeypatch.setattr(sequence_fit, "index_type", lambda num_gpus: np.int64)
    assert fit(**settings)[0] == pytest.approx(narrow, rel=1e-5)
    assert np.isfinite(fit(**{**settings, "sampled_items": 20})[0]).all()


def test_the_preset_for_a_gpu_trains_an_epoch_without_one_too():
    settings = dataclasses.asdict(preset("ncf", "gpu").trainer)
    losses, _, _ = fit(**{**settings, "num_gpus": 0, "train_epochs": 1})
    assert settings["num_gpus"] == 1 and np.isfinite(losses).all()


def test_two_devices_train_sasrec_as_well_as_one():
    _, hit_rate, replicas = result(start(2, SASREC))
    assert replicas == 2
    assert hit_rate == pytest.approx(fit(**SASREC)[1], abs=0.02)


@pytest.mark.parametrize(
    "settings",
    [
        {"model_type": "next_item", "train_epochs": 1, "ridge": 10.0},
        {**SASREC, "next_item_share": 0.5, "ridge": 10.0},
        {**SASREC, "sampled_items": 0},
        {"model_type": "gmf"},
        {"model_type": "mlp"},
        {"loss": "softmax", "schedule": "cosine", "recency_half_life": 10.0},
    ],
)
def test_every_kind_of_model_and_loss_learns(settings):
    assert fit(**settings)[1] > 0.8
