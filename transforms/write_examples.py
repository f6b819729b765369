"""Writes record batches as tf.Examples in gzipped TFRecord shards."""

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.io.filebasedsink import FileBasedSink
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

_SHARD_BYTES = 64 << 20


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(str)
class WriteExamples(beam.PTransform):
    """Writes one tf.Example per row into `<directory>/data_tfrecord-SSSSS-of-NNNNN.gz`.

    A column is a feature. Its rows are lists, or single values of which lists of one are made.

    Shards are written under temporary names and renamed once all are whole. Which shard a row
    ends in, and the order of the rows, are not part of the result: a bundle starts one, and a new
    one whenever 64 MiB of Examples are in it, which saves a shuffle. Outputs the shards' paths.

    Args:
        directory: Where to write, on any file system that TensorFlow and Beam both know.
    """

    def __init__(self, directory: str):
        super().__init__()
        self._sink = _ExampleSink(directory)

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[str]:
        """Returns the paths, once all of them are there."""
        return batches | beam.io.Write(self._sink)


class _ExampleSink(FileBasedSink):
    """Beam's rename-when-whole protocol around TensorFlow's record writer."""

    def __init__(self, directory: str):
        super().__init__(
            f"{directory}/data_tfrecord",
            coder=beam.coders.BytesCoder(),
            file_name_suffix=".gz",
            max_bytes_per_shard=_SHARD_BYTES,
        )

    def open(self, temp_path: str) -> "_ExampleFile":
        # Beam's writer reads the size of the shard from this attribute.
        self.byte_counter = _ExampleFile(temp_path)
        return self.byte_counter

    def write_record(self, file_handle: "_ExampleFile", value: pa.RecordBatch) -> None:
        file_handle.write(value)


class _ExampleFile:
    def __init__(self, path: str):
        # The fastest level: the Examples are read soon and seldom kept.
        options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
        self._writer = tf.io.TFRecordWriter(path, options)
        self._encoder = RecordBatchToExamplesEncoder()
        self.bytes_written = 0

    def write(self, batch: pa.RecordBatch) -> None:
        for example in self._encoder.encode(_of_lists(batch)):
            self._writer.write(example)
            self.bytes_written += len(example)

    def close(self) -> None:
        self._writer.close()


def _of_lists(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Returns the batch with single values as lists of one, and texts as bytes."""
    one_each = np.arange(batch.num_rows + 1, dtype=np.int32)
    columns = []
    for column in batch.columns:
        if pa.types.is_string(column.type):
            column = column.cast(pa.binary())
        is_list = pa.types.is_list(column.type)
        columns.append(column if is_list else pa.ListArray.from_arrays(one_each, column))
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)
