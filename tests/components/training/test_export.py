import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from components.training.export import export_model

# One value that may lack, one that may not, and several.
SPEC = {
    "maybe": tf.io.VarLenFeature(tf.int64),
    "always": tf.io.FixedLenFeature([1], tf.float32),
    "three": tf.io.FixedLenFeature([3], tf.int64),
    "label": tf.io.FixedLenFeature([1], tf.int64),
}
# 0 is a value like any other, and of the second row `maybe` lacks.
ROWS = {
    "maybe": [5, None, 0],
    "always": [0.5, 1.5, 2.5],
    "three": [[1, 0, 0], [0, 1, 1], [0, 0, 0]],
}


class Transform(keras.layers.Layer):
    """Makes dense columns of raw ones; what lacks is -100."""

    def call(self, raw):
        maybe = raw["maybe"]
        assert isinstance(maybe, tf.SparseTensor)
        dense = tf.sparse.to_dense(maybe, default_value=-100)[:, 0]
        return {
            "maybe": tf.cast(dense, tf.float32),
            "always": raw["always"][:, 0],
            "three": tf.cast(raw["three"], tf.float32),
        }


class Output:
    """What TFX's Transform leaves, as far as an export reads it."""

    def transform_features_layer(self):
        return Transform()

    def raw_feature_spec(self):
        return SPEC


def example(row):
    ints, floats = tf.train.Int64List, tf.train.FloatList
    feature = {
        "always": tf.train.Feature(float_list=floats(value=[ROWS["always"][row]])),
        "three": tf.train.Feature(int64_list=ints(value=ROWS["three"][row])),
    }
    if ROWS["maybe"][row] is not None:
        feature["maybe"] = tf.train.Feature(int64_list=ints(value=[ROWS["maybe"][row]]))
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString()


@pytest.fixture
def export(tmp_path):
    """Returns a function that exports a model of three columns, and loads what it wrote."""

    def exported():
        model = tf.Module()
        model.weight = tf.Variable(10.0)

        def score(features):
            return (
                features["maybe"]
                + features["always"]
                + model.weight * tf.reduce_sum(features["three"], axis=1)
            )

        columns = ("maybe", "always", "three")
        export_model(model, score, Output(), columns, str(tmp_path / "model"))
        return tf.saved_model.load(str(tmp_path / "model"))

    return exported


def test_examples_and_columns_have_the_same_scores(export):
    loaded = export()
    signatures = loaded.signatures
    assert set(signatures) == {"serving_default", "transform_features", "score"}
    examples = tf.constant([example(row) for row in range(3)])
    scores = signatures["serving_default"](examples=examples)["scores"].numpy()
    np.testing.assert_allclose(scores, [15.5, -100 + 1.5 + 20, 2.5])
    columns = {
        "maybe": tf.constant([5, -100, 0], tf.int64),
        "always": tf.constant(ROWS["always"]),
        "three": tf.constant(ROWS["three"], tf.int64),
    }
    np.testing.assert_allclose(signatures["score"](**columns)["scores"], scores)
    transformed = signatures["transform_features"](examples=examples)
    assert transformed.keys() == {"maybe", "always", "three"}
    assert transformed["maybe"].numpy().tolist() == [5, -100, 0]
    # All that a score reads comes along.
    assert [variable.numpy() for variable in loaded.trained] == [10]


def test_a_column_has_one_value_a_row_or_as_many_as_the_schema_says(export):
    _, inputs = export().signatures["score"].structured_input_signature
    shapes = {name: (spec.shape.as_list(), spec.dtype) for name, spec in inputs.items()}
    assert shapes == {
        "maybe": ([None], tf.int64),
        "always": ([None], tf.float32),
        "three": ([None, 3], tf.int64),
    }
