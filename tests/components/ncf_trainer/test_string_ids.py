"""Text for ids: in the served model, and in Examples that are read back."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils

from components.ncf_trainer import preprocessing
from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.export import export_model
from components.ncf_trainer.interactions import read_interactions
from components.ncf_trainer.model import NcfModel

SCHEMA = preprocessing.__file__.replace("preprocessing.py", "string_id_schema.pbtxt")
LOWEST = np.finfo(np.float32).min
# user, items, labels
SPLITS = {
    "train": [("zoë", ["tea, green", "0x1F"], [1, 1]), ("bob", ["0x1F", "01"], [1, 1])],
    "eval": [("zoë", ["01", "1"], [1, 0]), ("bob", ["1", "tea, green"], [1, 0])],
}


def example(user, items, labels):
    texts = {"user_id": [user], "item_id": items}
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[t.encode() for t in of]))
        for name, of in texts.items()
    }
    feature["label"] = tf.train.Feature(float_list=tf.train.FloatList(value=labels))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


EXAMPLES = {split: [example(*row) for row in rows] for split, rows in SPLITS.items()}


class Rows(keras.layers.Layer):
    """What Transform makes of preprocessing_fn."""

    def __init__(self, vocabularies):
        super().__init__()
        self.tables = {
            name: tf.lookup.StaticVocabularyTable(
                tf.lookup.KeyValueTensorInitializer(ids, range(len(ids)), tf.string, tf.int64), 1
            )
            for name, ids in vocabularies.items()
        }

    def call(self, ids):
        return {
            f"{name}_row": self.tables[f"{name}s"].lookup(ids[f"{name}_id"])
            for name in ("user", "item")
        }


class Transformed:
    """The part of TFTransformOutput that the export uses."""

    vocabularies = {"users": [b"bob", "zoë".encode()], "items": [b"0x1F", b"tea, green", b"01"]}

    def transform_features_layer(self):
        return Rows(self.vocabularies)

    def raw_feature_spec(self):
        with open(SCHEMA, encoding="utf-8") as file:
            schema = text_format.Parse(file.read(), schema_pb2.Schema())
        return schema_utils.schema_as_feature_spec(schema).feature_spec

    def vocabulary_by_name(self, name):
        return self.vocabularies[name]


@pytest.fixture(scope="module")
def signatures(tmp_path_factory):
    """Those of an exported model with random weights."""
    model = NcfModel(NcfTrainerConfig(), 2 + 1, 3 + 1)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    directory = str(tmp_path_factory.mktemp("strings"))
    export_model(model, Transformed(), directory)
    return tf.saved_model.load(directory).signatures


def test_score_and_serving_default_take_text(signatures):
    items = ["tea, green", "0x1F", "1", "nothing"]
    scores = signatures["score"](
        user_id=tf.constant(["zoë", "stranger"]), item_id=tf.constant([items] * 2)
    )["scores"].numpy()
    assert len(set(scores[0, :3])) == 3
    # "1" was never trained on: it is as unknown as "nothing", and "01" is another item.
    assert (scores[:, 2] == scores[:, 3]).all() and (scores[0] != scores[1]).all()
    served = signatures["serving_default"](tf.constant(EXAMPLES["train"][:1]))["scores"]
    np.testing.assert_allclose(served.numpy()[0], scores[0, :2], rtol=1e-5)


def test_recommend_answers_with_text_and_fills_up_with_the_empty_one(signatures):
    items = ["tea, green", "0x1F", "01"]
    answer = signatures["recommend"](
        user_id=tf.constant(["bob", "stranger"]),
        k=tf.constant(4),
        exclude=tf.constant([["0x1F", ""], ["", "1"]]),
        include=tf.zeros([2, 0], tf.string),
    )
    ids = [[item.decode() for item in row] for row in answer["item_id"].numpy().tolist()]
    assert set(ids[0][:2]) == {"tea, green", "01"} and ids[0][2:] == ["", ""]
    assert set(ids[1][:3]) == set(items) and ids[1][3] == ""
    assert answer["scores"].numpy()[0, 2:].tolist() == [LOWEST] * 2
    scores = signatures["score"](
        user_id=tf.constant(["stranger"]), item_id=tf.constant([ids[1][:3]])
    )["scores"]
    np.testing.assert_allclose(answer["scores"][1, :3], scores[0], rtol=1e-5)
    assert (np.diff(scores[0]) <= 0).all()


def test_interactions_are_read_back_as_text(tmp_path):
    for split, examples in EXAMPLES.items():
        (tmp_path / f"Split-{split}").mkdir()
        with tf.io.TFRecordWriter(str(tmp_path / f"Split-{split}" / "data.gz"), "GZIP") as file:
            for record in examples:
                file.write(record)
    seen = read_interactions(str(tmp_path))
    assert seen.users.tolist() == ["bob", "zoë"]
    assert seen.of("zoë").tolist() == ["tea, green", "0x1F", "01"]
    assert seen.of("bob").tolist() == ["0x1F", "01", "1"]
    assert seen.of("carol").tolist() == []
