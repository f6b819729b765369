import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from components.training.columnar_training import ColumnarTraining, scheduled_rate, steps_of
from components.training.config import LoopConfig
from components.training.engine import Part
from components.training.strategy import create_strategy


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
