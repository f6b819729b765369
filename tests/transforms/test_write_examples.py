import glob
import os

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.write_examples import WriteExamples


def batch_of(numbers: np.ndarray) -> pa.RecordBatch:
    offsets = np.arange(len(numbers) + 1, dtype=np.int32)
    texts = pa.array([b"%d" % number for number in numbers])
    columns = [
        pa.ListArray.from_arrays(offsets, pa.array(numbers)),
        pa.ListArray.from_arrays(offsets, texts),
        pa.ListArray.from_arrays(offsets, pa.array(numbers, pa.float32())),
    ]
    return pa.RecordBatch.from_arrays(columns, ["number", "text", "real"])


def write(directory: str, batches: list[pa.RecordBatch]) -> list[str]:
    with beam.Pipeline(LOCAL_RUNNER) as pipeline:
        source = pipeline | beam.Create(batches).with_output_types(pa.RecordBatch)
        _ = source | WriteExamples(directory)
    return sorted(os.path.basename(path) for path in glob.glob(f"{directory}/*"))


def numbers_in(directory: str) -> list[int]:
    records = tf.data.TFRecordDataset(sorted(glob.glob(f"{directory}/*")), "GZIP")
    examples = [tf.train.Example.FromString(r) for r in records.as_numpy_iterator()]
    for example in examples:
        feature = example.features.feature
        number = feature["number"].int64_list.value[0]
        assert feature["text"].bytes_list.value == [b"%d" % number]
        assert feature["real"].float_list.value == [number]
    return sorted(example.features.feature["number"].int64_list.value[0] for example in examples)


def test_rows_become_examples(tmp_path):
    batches = [batch_of(np.arange(start, start + 10)) for start in range(0, 50, 10)]
    assert write(str(tmp_path), batches)
    assert numbers_in(str(tmp_path)) == list(range(50))


def test_a_shard_is_closed_when_it_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr("transforms.write_examples._SHARD_BYTES", 1)
    names = write(str(tmp_path), [batch_of(np.arange(3)), batch_of(np.arange(3, 5))])
    assert names == ["data_tfrecord-00000-of-00002.gz", "data_tfrecord-00001-of-00002.gz"]
    assert numbers_in(str(tmp_path)) == list(range(5))


def test_no_rows_are_one_empty_shard(tmp_path):
    assert write(str(tmp_path), []) == ["data_tfrecord-00000-of-00001.gz"]
    assert numbers_in(str(tmp_path)) == []


def test_single_values_and_texts_become_lists_of_one(tmp_path):
    columns = [pa.array([3, 4]), pa.array(["ä", "b"]), pa.array([[1.5], [0.5, 2.0]])]
    columns[2] = columns[2].cast(pa.list_(pa.float32()))
    write(str(tmp_path), [pa.RecordBatch.from_arrays(columns, ["number", "text", "reals"])])
    records = tf.data.TFRecordDataset(glob.glob(f"{tmp_path}/*"), "GZIP").as_numpy_iterator()
    features = [tf.train.Example.FromString(record).features.feature for record in records]
    assert [list(f["number"].int64_list.value) for f in features] == [[3], [4]]
    assert [list(f["text"].bytes_list.value) for f in features] == [["ä".encode()], [b"b"]]
    assert [list(f["reals"].float_list.value) for f in features] == [[1.5], [0.5, 2.0]]


def test_a_failed_write_leaves_nothing_under_a_final_name(tmp_path):
    broken = pa.RecordBatch.from_arrays([pa.array([True])], ["of_no_feature_type"])
    with pytest.raises(Exception, match="Bad field type"):
        write(str(tmp_path), [batch_of(np.arange(3)), broken])
    assert glob.glob(f"{tmp_path}/data_tfrecord*") == []
