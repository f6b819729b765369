import types

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from components.training import engine
from components.training.config import LoopConfig
from components.training.engine import Engine, Part, Step
from components.training.strategy import create_strategy

ROWS, PER_REPLICA, STEPS = 10, 4, 3


class Visits(Engine):
    """Counts in a weight of each row how often it was trained on, and keeps the order."""

    def __init__(self, **options):
        strategy = create_strategy(0)
        with strategy.scope():
            self.counts = tf.Variable(tf.zeros(ROWS))
            self.order = tf.Variable(tf.fill([6 * STEPS, PER_REPLICA], -1), trainable=False)
            optimizer = keras.optimizers.SGD(1.0)
            optimizer.build([self.counts])
        settings = {name: options.pop(name) for name in ("seed", "xla") if name in options}
        config = LoopConfig(train_epochs=1, batch_size=PER_REPLICA, **settings)
        data = {"ones": np.ones(ROWS, np.float32)}
        parts = [Part([self.counts], optimizer)]
        super().__init__(config, strategy, data, ROWS, PER_REPLICA, parts, **options)

    def batch(self, data, rows, step):
        self.order.scatter_nd_update(step.number[tf.newaxis, tf.newaxis], rows[tf.newaxis])
        return tf.gather(data["ones"], rows), rows, tf.cast(step.number, tf.float32)

    def loss(self, batch):
        ones, rows, number = batch
        return number, -tf.reduce_sum(ones * tf.gather(self.counts, rows))

    def epoch(self, number):
        """Returns what `train_epoch` does, and the rows in their order."""
        stats = self.train_epoch(number)
        return stats, self.order.numpy()[number * STEPS : (number + 1) * STEPS]


@pytest.mark.parametrize("xla", [False, True])
def test_an_epoch_is_each_row_once_and_the_first_again_until_the_last_batch_is_full(xla):
    visits = Visits(xla=xla)
    stats, order = visits.epoch(0)
    order = order.reshape(-1)
    assert sorted(order[:ROWS]) == list(range(ROWS))
    assert order[ROWS:].tolist() == order[:2].tolist()
    np.testing.assert_array_equal(visits.counts, np.bincount(order))
    # The loss of a step was its number.
    assert (stats.loss, stats.examples) == (1.0, STEPS * PER_REPLICA)
    # Of the second epoch alone.
    assert visits.epoch(1)[0].loss == STEPS + 1


def test_the_order_is_drawn_for_each_seed_epoch_and_worker(monkeypatch):
    visits = Visits(seed=3)
    orders = [visits.epoch(0)[1].tolist(), visits.epoch(1)[1].tolist()]
    assert visits.epoch(0)[1].tolist() == orders[0]
    orders.append(Visits(seed=4).epoch(0)[1].tolist())
    worker = tf.distribute.InputContext(2, 1, 1)
    monkeypatch.setattr(engine, "input_context", lambda strategy: worker)
    orders.append(Visits(seed=3).epoch(0)[1].tolist())
    assert len({str(order) for order in orders}) == 4


def test_rows_of_a_step_are_sorted_on_demand_and_the_steps_are_the_same():
    _, order = Visits().epoch(0)
    _, ascending = Visits(ascending=True).epoch(0)
    assert (order != ascending).any()
    np.testing.assert_array_equal(ascending, np.sort(order, axis=1))


def test_a_replica_has_its_share_of_the_gradients_and_all_of_the_loss():
    visits = Visits()
    visits._strategy = types.SimpleNamespace(num_replicas_in_sync=4)
    batch = tf.ones(3), tf.constant([0, 2, 2]), tf.constant(7.0)
    loss, ((gradient,),) = visits._loss_and_gradients(batch)
    assert float(loss) == 7
    # Of every row, also of those that were not looked up.
    assert gradient.numpy().tolist() == [-0.25, 0, -0.5, *[0] * (ROWS - 3)]


def test_what_is_trained_and_its_optimiser_come_back_from_a_checkpoint(tmp_path):
    trained, fresh = Visits(), Visits()
    trained.train_epoch(0)
    path = trained.checkpoint.save(str(tmp_path / "checkpoint"))
    fresh.checkpoint.restore(path).assert_existing_objects_matched()
    np.testing.assert_array_equal(fresh.counts, trained.counts)
    (part,) = fresh._parts
    assert int(part.optimizer.iterations) == STEPS


def test_no_two_replicas_and_steps_draw_the_same():
    seeds = {
        tuple(Step(tf.constant(number, tf.int64), tf.constant(replica), 3).seed(7).numpy())
        for number in range(5)
        for replica in range(3)
    }
    assert len(seeds) == 15 and {seed for seed, _ in seeds} == {7}
