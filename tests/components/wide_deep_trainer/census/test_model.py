import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from components.wide_deep_trainer.census.config import CensusTrainerConfig
from components.wide_deep_trainer.census.encoders import BasicEncoder, EmbeddedEncoder
from components.wide_deep_trainer.census.features import (
    CATEGORICAL,
    NUMERIC,
    ONE_HOT,
    REPEATED,
    WIDE,
    quantile,
    scaled,
    value,
)
from components.wide_deep_trainer.census.model import WideDeepClassifier
from components.wide_deep_trainer.layers.wide import Wide
from transforms.parsing.read_census import CENSUS_COLUMNS


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


def test_a_linear_model_begins_without_an_opinion():
    wide = Wide({"a": 2, "b": 3})
    assert not wide.weights_table.numpy().any() and wide.bias.numpy() == 0


def test_the_network_of_2018_sees_scaled_numbers_one_hot_categories_and_an_embedding():
    sizes = {**{name: 2 + place for place, name in enumerate(ONE_HOT)}, "occupation": 4}
    encoder = BasicEncoder(sizes, embedding_size=3)
    encoder.occupation.assign(np.arange(12, dtype=np.float32).reshape(4, 3))
    features = {scaled(name): tf.constant([0.5 + i]) for i, name in enumerate(NUMERIC)}
    features |= {name: tf.constant([1], tf.int64) for name in sizes}
    (encoded,) = encoder(features).numpy().tolist()
    one_hots = [float(i == 1) for name in ONE_HOT for i in range(sizes[name])]
    assert encoded == [0.5, 1.5, 2.5, 3.5, 4.5, *one_hots, 3.0, 4.0, 5.0]


@pytest.fixture
def embedded():
    """An encoder with 3 bins and embeddings of 2 numbers, and features of two rows."""
    names = [*CATEGORICAL, *map(value, REPEATED)]
    encoder = EmbeddedEncoder(dict.fromkeys(names, 2), embedding_size=2, bins=3)
    features = {name: tf.zeros(2, tf.int64) for name in names}
    positions = np.array([[0.0, 1.5], [2.25, 3.0], [0.5, 0.0], [1.0, 2.0], [3.0, 0.25]], np.float32)
    features |= {quantile(name): tf.constant(x) for name, x in zip(NUMERIC, positions, strict=True)}
    return encoder, features, positions


def test_a_number_is_embedded_by_the_bins_below_it(embedded):
    encoder, features, positions = embedded
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(5, 3, 2)), rng.normal(size=(5, 2))
    encoder.kernel.assign(kernel)
    encoder.bias.assign(bias)
    filled = np.clip(positions[:, :, np.newaxis] - np.arange(3), 0, 1)
    expected = [
        np.concatenate([np.maximum(filled[n, row] @ kernel[n] + bias[n], 0) for n in range(5)])
        for row in range(2)
    ]
    np.testing.assert_allclose(encoder(features)[:, -10:], expected, rtol=1e-5, atol=1e-6)


def test_encoders_begin_with_numbers_of_the_order_that_their_width_asks_for():
    keras.utils.set_random_seed(0)
    names = [*CATEGORICAL, *map(value, REPEATED)]
    sizes = dict.fromkeys(names, 100)
    embedded = EmbeddedEncoder(sizes, embedding_size=64, bins=16)
    assert np.std(embedded.categories) == pytest.approx(0.3, rel=0.05)
    for weights in (embedded.kernel.numpy(), embedded.bias.numpy()):
        assert -0.25 <= weights.min() < -0.23 and 0.23 < weights.max() <= 0.25
    occupation = BasicEncoder(sizes, embedding_size=64).occupation.numpy()
    # Of a normal that is cut off at two standard deviations 0.88 is left.
    assert np.std(occupation) == pytest.approx(0.88 / 8, rel=0.05)


@pytest.fixture
def classifier():
    """A classifier with members that disagree; returns logits [rows, members] of its features."""
    model = WideDeepClassifier(CensusTrainerConfig(model_type="wide"), dict.fromkeys(WIDE, 2))
    model.wide = lambda features: features["logits"]
    return model


def test_a_loss_is_of_each_member_and_a_probability_of_all(classifier):
    logits = np.float32([[0.0, 2.0], [-1.0, 3.0]])
    features = {"logits": tf.constant(logits), "label": tf.constant([1, 0], tf.int64)}
    shares = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(classifier.probability(features), shares.mean(axis=1), rtol=1e-6)
    wanted = -np.log([*shares[0], *(1 - shares[1])]).mean()
    np.testing.assert_allclose(classifier.loss(features, None), [wanted, wanted], rtol=1e-6)


@pytest.mark.parametrize("model_type", ["wide", "deep", "wide_deep"])
def test_a_model_has_the_parts_of_its_type_and_adds_them(model_type):
    names = {*WIDE, *CATEGORICAL, *map(value, REPEATED)}
    config = CensusTrainerConfig(
        model_type=model_type, encoding="embedded", ensemble_size=2, hidden_units=(3,)
    )
    model = WideDeepClassifier(config, dict.fromkeys(names, 2))
    features = {name: tf.zeros(4, tf.int64) for name in names}
    features |= {quantile(name): tf.zeros(4) for name in NUMERIC}
    logits = model(features).numpy()
    parts = [part(features).numpy() for part in (model.wide, model.deep) if part is not None]
    assert (model.wide is not None, model.deep is not None) == (
        model_type != "deep",
        model_type != "wide",
    )
    np.testing.assert_allclose(logits, np.broadcast_to(sum(parts), logits.shape), rtol=1e-6)
    assert logits.shape == (4, 1 if model_type == "wide" else 2)


def test_all_that_is_known_of_a_person_is_used_but_for_the_weight_in_the_survey():
    known = {field.name for field in CENSUS_COLUMNS} - {"label", "fnlwgt"}
    assert {*NUMERIC, *CATEGORICAL} == known


def test_the_highest_number_has_an_encoding_of_its_own():
    names = {*CATEGORICAL, *map(value, REPEATED)}
    config = CensusTrainerConfig(
        model_type="deep", encoding="embedded", quantile_bins=4, hidden_units=(3,)
    )
    encoder = WideDeepClassifier(config, dict.fromkeys(names, 2)).deep.encoder
    encoder.kernel.assign(tf.ones_like(encoder.kernel))
    features = {name: tf.zeros(5, tf.int64) for name in names}
    # So many bins may lie below a number.
    features |= {quantile(name): tf.range(5.0) for name in NUMERIC}
    last = encoder(features).numpy()[:, -1]
    assert (np.diff(last) > 0).all()
