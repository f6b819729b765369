import types

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform import TFTransformOutput
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder
from tfx_bsl.public import tfxio

from components.ncf_trainer import preprocessing
from components.ncf_trainer.config import NcfTrainerConfig
from transforms.checks import to_json

SCHEMA = preprocessing.__file__.replace("preprocessing.py", "schema.pbtxt")
USERS, ITEMS, GROUPS = 120, 60, 3
HISTORY, NEGATIVES = 12, 20


def interactions():
    """Users of three groups, each of which likes a third of the items; raw ids are not dense."""
    rng = np.random.default_rng(0)
    item_ids = np.sort(rng.choice(1000, ITEMS, replace=False)) * 7
    for user in range(USERS):
        liked = rng.permutation(np.arange(ITEMS)[np.arange(ITEMS) % GROUPS == user % GROUPS])
        others = np.setdiff1d(np.arange(ITEMS), liked[: HISTORY + 1])
        candidates = [liked[HISTORY], *rng.choice(others, NEGATIVES, replace=False)]
        yield user * 10 + 3, item_ids[liked[:HISTORY]], item_ids[candidates]


def example(user, items, labels):
    ints, floats = tf.train.Int64List, tf.train.FloatList
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                "user_id": tf.train.Feature(int64_list=ints(value=[user])),
                "item_id": tf.train.Feature(int64_list=ints(value=items)),
                "label": tf.train.Feature(float_list=floats(value=labels)),
            }
        )
    ).SerializeToString()


@pytest.fixture(scope="session")
def raw_examples():
    """Serialised Examples of the splits."""
    users = list(interactions())
    return {
        "train": [example(u, history, np.ones(HISTORY)) for u, history, _ in users],
        "eval": [example(u, c, np.eye(1, NEGATIVES + 1)[0]) for u, _, c in users],
    }


@pytest.fixture(scope="session")
def transformed(raw_examples, tmp_path_factory):
    """A folder with what TFX's Transform writes: transform_output, train and eval files."""
    root = tmp_path_factory.mktemp("transformed")
    with open(SCHEMA, encoding="utf-8") as file:
        schema = text_format.Parse(file.read(), schema_pb2.Schema())
    source = tfxio.TFExampleBeamRecord(physical_format="test", schema=schema)
    metadata = source.TensorAdapterConfig()
    with beam.Pipeline() as p, tft_beam.Context(temp_dir=str(root / "tmp")):
        raw = {
            split: p | split >> beam.Create(records) | f"Read{split}" >> source.BeamSource()
            for split, records in raw_examples.items()
        }
        train, transform_fn = (raw["train"], metadata) | tft_beam.AnalyzeAndTransformDataset(
            preprocessing.preprocessing_fn, output_record_batches=True
        )
        evaluation = ((raw["eval"], metadata), transform_fn) | tft_beam.TransformDataset(
            output_record_batches=True
        )
        transform_fn | tft_beam.WriteTransformFn(str(root / "transform_output"))
        metadata_io.write_metadata(
            dataset_metadata.DatasetMetadata(schema),
            str(root / "transform_output" / TFTransformOutput.RAW_METADATA_DIR),
        )
        for split, (batches, _) in {"train": train, "eval": evaluation}.items():
            _ = (
                batches
                | f"Encode{split}"
                >> beam.FlatMapTuple(lambda batch, _: RecordBatchToExamplesEncoder().encode(batch))
                | f"Write{split}"
                >> beam.io.WriteToTFRecord(
                    str(root / split / "transformed"), file_name_suffix=".gz", num_shards=2
                )
            )
    return root


@pytest.fixture
def fn_args(transformed, tmp_path):
    """Returns a function from settings to FnArgs as TFX would pass them."""

    def build(**settings):
        return types.SimpleNamespace(
            custom_config={
                "config": to_json(NcfTrainerConfig(**settings)),
                "code": "",
                "checkpoint_root": str(tmp_path / "checkpoints"),
            },
            train_files=[str(transformed / "train" / "*")],
            eval_files=[str(transformed / "eval" / "*")],
            transform_output=str(transformed / "transform_output"),
            serving_model_dir=str(tmp_path / "model"),
            model_run_dir=str(tmp_path / "run"),
        )

    return build
