import tensorflow as tf

from components.training.engine import Step


def test_no_two_replicas_and_steps_draw_the_same():
    seeds = {
        tuple(Step(tf.constant(number, tf.int64), tf.constant(replica), 3).seed(7).numpy())
        for number in range(5)
        for replica in range(3)
    }
    assert len(seeds) == 15 and {seed for seed, _ in seeds} == {7}
