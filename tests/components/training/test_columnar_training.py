import types

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from components.training import columnar_training
from components.training.columnar_training import (
    ColumnarTraining,
    predictor,
    scheduled_rate,
    steps_of,
)
from components.training.config import LoopConfig
from components.training.engine import Part
from components.training.loop import EpochStats
from components.training.strategy import create_strategy
from transforms.base.errors import UserError


def rates(epochs, rows):
    """The rate of each step."""
    steps = steps_of(LoopConfig(train_epochs=epochs, batch_size=10), rows)
    assert steps == epochs * -(-rows // 10)
    schedule = scheduled_rate("cosine", 0.5, steps)
    return [float(schedule(step)) for step in range(steps)]


def test_the_rate_rises_for_a_twentieth_of_the_steps_and_falls_to_0():
    steps = rates(epochs=4, rows=95)
    assert steps[:3] == pytest.approx([0.0, 0.25, 0.5])
    assert steps[2:] == sorted(steps[2:], reverse=True)
    assert 0 < steps[-1] < 0.01


def test_a_single_step_has_the_full_rate():
    assert rates(epochs=1, rows=7) == [0.5]


def test_a_constant_rate_is_no_schedule():
    assert scheduled_rate("constant", 0.5, 7) == 0.5


@pytest.mark.parametrize("seed", [3, 2**32 - 1])
def test_what_is_random_is_drawn_for_each_seed_and_epoch(seed):
    strategy = create_strategy(0)
    with strategy.scope():
        weight = tf.Variable(0.0)

    def loss(columns, seed):
        drawn = tf.random.stateless_uniform([], seed)
        return drawn, drawn + weight * tf.reduce_sum(columns["x"])

    def losses(seed):
        config = LoopConfig(train_epochs=2, batch_size=4, seed=seed)
        columns, parts = {"x": np.ones(4, np.float32)}, [Part([weight], keras.optimizers.SGD())]
        training = ColumnarTraining(config, strategy, columns, parts, loss)
        return [training.train_epoch(epoch).loss for epoch in (0, 0, 1)]

    first, again, second = losses(seed)
    assert first == again != second
    assert losses(seed - 1)[0] != first


def mean_training(batch_size=4, rows=8, **settings):
    """A training whose loss is the mean of the rows' places."""
    config = LoopConfig(train_epochs=1, batch_size=batch_size, **settings)
    strategy = create_strategy(0)
    with strategy.scope():
        weight, optimizer = tf.Variable(0.0), keras.optimizers.SGD()
    optimizer.jit_compile = True
    training = ColumnarTraining(
        config,
        strategy,
        {"place": np.arange(rows, dtype=np.float32)},
        [Part([weight], optimizer)],
        lambda columns, seed: (tf.reduce_mean(columns["place"]), weight),
    )
    return training, optimizer


def test_each_of_several_workers_trains_on_its_own_rows(monkeypatch):
    training, _ = mean_training()
    assert training.train_epoch(0) == EpochStats(loss=3.5, examples=8)
    worker = tf.distribute.InputContext(2, 1, 1)
    monkeypatch.setattr(columnar_training, "input_context", lambda strategy: worker)
    training, _ = mean_training()
    assert training.train_epoch(0) == EpochStats(loss=4.0, examples=4)


def test_a_batch_has_as_many_rows_for_each_replica():
    three = types.SimpleNamespace(num_replicas_in_sync=3)
    with pytest.raises(
        UserError, match=r"batch_size=4: must be a multiple of the number of rep.*3"
    ):
        ColumnarTraining(LoopConfig(train_epochs=1, batch_size=4), three, {}, [], None)


@pytest.mark.parametrize("xla", [True, False])
def test_an_update_is_compiled_only_where_the_step_is(xla):
    assert mean_training(xla=xla)[1].jit_compile == xla


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_rows_of_any_number_of_blocks_are_scored_in_their_order(rows, monkeypatch):
    monkeypatch.setattr(columnar_training, "_SCORED_TOGETHER", 3)
    scored = predictor(lambda columns: columns["a"] + columns["b"])
    columns = {"a": np.arange(rows), "b": np.full(rows, 10)}
    assert scored(columns).tolist() == list(range(10, 10 + rows))
