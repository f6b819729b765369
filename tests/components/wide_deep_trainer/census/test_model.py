import numpy as np
import tensorflow as tf

from components.wide_deep_trainer.census.encoders import EmbeddedEncoder
from components.wide_deep_trainer.census.features import (
    CATEGORICAL,
    NUMERIC,
    REPEATED,
    quantile,
    value,
)
from components.wide_deep_trainer.layers.wide import Wide


def test_each_category_and_repeated_amount_has_an_embedding_of_its_own():
    names = [*CATEGORICAL, *map(value, REPEATED)]
    sizes = {name: 2 + place for place, name in enumerate(names)}
    encoder = EmbeddedEncoder(sizes, embedding_size=1, bins=3)
    rows = np.arange(sum(sizes.values()), dtype=np.float32)
    encoder.categories.assign(rows[:, np.newaxis])
    features = {name: tf.constant([0, size - 1], tf.int64) for name, size in sizes.items()}
    features |= {quantile(name): tf.zeros(2) for name in NUMERIC}
    first, last = encoder(features).numpy()[:, : len(names)]
    np.testing.assert_array_equal(first, [0, *last[:-1] + 1])
    assert last[-1] == rows[-1]


def test_each_id_of_each_column_has_a_weight_of_its_own():
    wide = Wide({"a": 2, "b": 3})
    wide.weights_table.assign([1.0, 2.0, 4.0, 8.0, 16.0])
    wide.bias.assign(100.0)
    features = {"a": tf.constant([0, 1], tf.int64), "b": tf.constant([0, 2], tf.int64)}
    assert wide(features).numpy().tolist() == [[105.0], [118.0]]
