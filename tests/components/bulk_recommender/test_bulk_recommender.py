"""The executor on real Examples and a SavedModel whose scores are plain."""

import glob
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, standard_artifacts

from components.bulk_recommender import executor, recommend
from components.bulk_recommender.executor import BulkRecommenderExecutor
from transforms.base.in_process_beam import LOCAL_ARGS

ITEMS, USERS = 9, 23
LOWEST = np.finfo(np.float32).min


def histories():
    """By user, the items of the train split and the one held out, the last of three in eval."""
    rng = np.random.default_rng(0)
    for user in range(USERS):
        items = rng.permutation(ITEMS)[: 2 + user % (ITEMS - 1)]
        yield user * 7 - 20, items.tolist()


def encoded(values, as_text):
    if as_text:
        texts = [f"é{value}".encode() for value in values]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def save_model(path, as_text):
    """A model whose score of an item is its number, the best one first."""
    numbers = np.arange(ITEMS)[::-1]
    items = tf.constant([f"é{n}" for n in numbers] if as_text else numbers)
    ids = tf.string if as_text else tf.int64
    nothing = tf.constant("" if as_text else -1, ids)

    def best(user_id, k, exclude, include):
        out = tf.reduce_any(exclude[:, :, tf.newaxis] == items, axis=1)
        scores = tf.where(out, LOWEST, tf.constant(numbers, tf.float32))
        padded = tf.pad(scores, [[0, 0], [0, k]], constant_values=LOWEST)
        found = tf.math.top_k(padded, k)
        known = tf.concat([items, tf.fill([k], nothing)], axis=0)
        ids = tf.where(found.values > LOWEST, tf.gather(known, found.indices), nothing)
        checks = [tf.debugging.assert_equal(tf.shape(include), [tf.shape(user_id)[0], 0])]
        with tf.control_dependencies(checks):
            return {"item_id": ids, "scores": tf.identity(found.values)}

    signature = [
        tf.TensorSpec([None], ids, "user_id"),
        tf.TensorSpec(None, tf.int32, "k"),
        tf.TensorSpec([None, None], ids, "exclude"),
        tf.TensorSpec([None, None], ids, "include"),
    ]
    module = tf.Module()
    module.best = tf.function(best, signature)
    tf.saved_model.save(module, path, signatures={"recommend": module.best})


class Place:
    """Examples, a model and a BulkRecommender."""

    def __init__(self, folder, as_text):
        self.folder, self._runs = folder, 0
        self.examples, self.model = standard_artifacts.Examples(), standard_artifacts.Model()
        self.examples.uri, self.model.uri = str(folder / "examples"), str(folder / "model")
        self.examples.split_names = artifact_utils.encode_split_names(["train", "eval"])
        save_model(os.path.join(self.model.uri, "Format-Serving"), as_text)
        for split in ("train", "eval"):
            home = os.path.join(self.examples.uri, f"Split-{split}")
            os.makedirs(home)
            writers = [
                tf.io.TFRecordWriter(os.path.join(home, f"data-{n}.gz"), "GZIP") for n in range(2)
            ]
            for at, (user, (*items, held_out)) in enumerate(histories()):
                candidates, labels = items, [1.0] * len(items)
                if split == "eval":
                    others = [n for n in range(ITEMS) if n not in (*items, held_out)]
                    candidates, labels = [held_out, *others], [1.0] + [0.0] * len(others)
                features = {
                    "user_id": encoded([user], as_text),
                    "item_id": encoded(candidates, as_text),
                    "label": tf.train.Feature(float_list=tf.train.FloatList(value=labels)),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writers[at % 2].write(example.SerializeToString())
            for writer in writers:
                writer.close()

    def run(self, top=4, blessed=1):
        """Returns the folder of the output."""
        self._runs += 1
        blessing, output = standard_artifacts.ModelBlessing(), standard_artifacts.InferenceResult()
        output.uri = str(self.folder / f"output{self._runs}")
        os.makedirs(output.uri)
        blessing.set_int_custom_property("blessed", blessed)
        context = BaseBeamExecutor.Context(
            beam_pipeline_args=list(LOCAL_ARGS), tmp_dir=str(self.folder), unique_id="1"
        )
        BulkRecommenderExecutor(context).Do(
            {
                "examples": [self.examples],
                "model": [self.model],
                "model_blessing": [blessing],
            },
            {"inference_result": [output]},
            {"top": top, "interactions": "components.ncf_trainer.interactions", "code": "abc"},
        )
        return output.uri


@pytest.fixture
def place(tmp_path, request):
    return Place(tmp_path, getattr(request, "param", False))


def rows(folder):
    table = pa.concat_tables(pq.read_table(file) for file in glob.glob(f"{folder}/*.parquet"))
    return table, sorted(
        zip(*(table[name].to_pylist() for name in table.schema.names), strict=True)
    )


@pytest.mark.parametrize("place", [False, True], indirect=True, ids=["numbers", "text"])
def test_everybody_gets_the_best_of_what_is_left(place, monkeypatch):
    monkeypatch.setattr(executor, "_BLOCK_BYTES", 100)
    monkeypatch.setattr(recommend, "_ASKED_TOGETHER", 3)
    table, found = rows(place.run())
    as_text = table.schema.field("user_id").type == pa.string()
    expected = [
        (f"é{user}" if as_text else user, rank, f"é{item}" if as_text else item, float(item))
        for user, items in histories()
        for rank, item in enumerate([n for n in range(ITEMS)[::-1] if n not in items][:4], 1)
    ]
    assert found == sorted(expected)
    assert len({user for user, *_ in found}) < USERS  # One has had all of them.
    kind = pa.string() if as_text else pa.int64()
    assert table.schema == recommend.recommended(kind)


def test_blocks_change_nothing_but_the_shards(place, monkeypatch):
    whole = rows(place.run(top=9))[1]
    monkeypatch.setattr(executor, "_BLOCK_BYTES", 60)
    assert rows(place.run(top=9))[1] == whole


def test_nothing_is_written_for_a_model_that_was_refused(place):
    assert os.listdir(place.run(blessed=0)) == []
