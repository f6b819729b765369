import pytest

from components.training.columnar_training import scheduled_rate
from components.training.config import LoopConfig


def rates(epochs, rows):
    """The rate of each step."""
    config = LoopConfig(train_epochs=epochs, batch_size=10)
    schedule = scheduled_rate("cosine", 0.5, config, rows)
    return [float(schedule(step)) for step in range(epochs * -(-rows // 10))]


def test_the_rate_rises_for_a_twentieth_of_the_steps_and_falls_to_0():
    steps = rates(epochs=4, rows=95)
    assert steps[:3] == pytest.approx([0.0, 0.25, 0.5])
    assert steps[2:] == sorted(steps[2:], reverse=True)
    assert 0 < steps[-1] < 0.01


def test_a_single_step_has_the_full_rate():
    assert rates(epochs=1, rows=7) == [0.5]


def test_a_constant_rate_is_no_schedule():
    assert scheduled_rate("constant", 0.5, LoopConfig(train_epochs=1, batch_size=10), 7) == 0.5
