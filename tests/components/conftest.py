import gc
import json
import os
import pathlib
import socket
import subprocess
import sys
import types

import apache_beam as beam
import pytest
import tensorflow_transform.beam as tft_beam
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform import TFTransformOutput
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder
from tfx_bsl.public import tfxio

from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.base.settings import to_json

# What a server does: TensorFlow, the model's folder, and nothing of this project.
_ASK = """
import json, sys
import tensorflow as tf

signatures = tf.saved_model.load(sys.argv[1]).signatures
request = json.loads(sys.stdin.read())
examples = tf.constant([bytes.fromhex(e) for e in request["examples"]])
_, kinds = signatures["score"].structured_input_signature
columns = {k: tf.constant(v, kinds[k].dtype) for k, v in request["columns"].items()}
print(json.dumps({
    "score": signatures["score"](**columns)["scores"].numpy().tolist(),
    "serving_default": signatures["serving_default"](examples)["scores"].numpy().tolist(),
    "transformed": sorted(signatures["transform_features"](examples)),
}))
"""

# One of several workers, killed before an epoch on demand.
_WORK = """
import importlib, json, os, sys, types
from components.training.engine import Engine

module, args, kill_before = sys.argv[1:]
train_epoch = Engine.train_epoch
Engine.train_epoch = lambda fit, epoch: (
    os._exit(9) if epoch == int(kill_before) else train_epoch(fit, epoch)
)
importlib.import_module(module).run_fn(types.SimpleNamespace(**json.loads(args)))
"""


@pytest.fixture(scope="session")
def transform():
    """Returns a function that writes what TFX's Transform writes.

    It takes a preprocessing_fn of one argument, the schema's file, serialised Examples by split
    and a folder, which then holds `transform_output` and the transformed splits.
    """

    def run(preprocessing_fn, schema_file, examples, root):
        with open(schema_file, encoding="utf-8") as file:
            schema = text_format.Parse(file.read(), schema_pb2.Schema())
        source = tfxio.TFExampleBeamRecord(physical_format="test", schema=schema)
        metadata = source.TensorAdapterConfig()
        with beam.Pipeline(LOCAL_RUNNER) as p, tft_beam.Context(temp_dir=str(root / "tmp")):
            raw = {
                split: p | split >> beam.Create(records) | f"Read{split}" >> source.BeamSource()
                for split, records in examples.items()
            }
            train, transform_fn = (raw["train"], metadata) | tft_beam.AnalyzeAndTransformDataset(
                preprocessing_fn, output_record_batches=True
            )
            evaluation = ((raw["eval"], metadata), transform_fn) | tft_beam.TransformDataset(
                output_record_batches=True
            )
            transform_fn | tft_beam.WriteTransformFn(str(root / "transform_output"))
            metadata_io.write_metadata(
                dataset_metadata.DatasetMetadata(schema),
                str(root / "transform_output" / TFTransformOutput.RAW_METADATA_DIR),
            )
            for split, (batches, metadata) in {"train": train, "eval": evaluation}.items():
                _ = (
                    batches
                    | f"Encode{split}"
                    >> beam.FlatMap(
                        lambda pair, schema: RecordBatchToExamplesEncoder(schema).encode(pair[0]),
                        metadata.schema,
                    )
                    | f"Write{split}"
                    >> beam.io.WriteToTFRecord(
                        str(root / split / "transformed"), file_name_suffix=".gz", num_shards=2
                    )
                )
        return root

    return run


@pytest.fixture
def fn_args(tmp_path):
    """Returns a function from a trainer's settings and a transformed folder to TFX's FnArgs."""

    def build(config, transformed):
        return types.SimpleNamespace(
            custom_config={
                "config": to_json(config),
                "code": "",
                "checkpoint_root": str(tmp_path / "checkpoints"),
                "tune_trials": 2,
            },
            train_files=[str(transformed / "train" / "*")],
            eval_files=[str(transformed / "eval" / "*")],
            transform_output=str(transformed / "transform_output"),
            transform_graph_path=str(transformed / "transform_output"),
            serving_model_dir=str(tmp_path / "model"),
            model_run_dir=str(tmp_path / "run"),
            working_dir=str(tmp_path / "tmp"),
        )

    return build


@pytest.fixture
def tune():
    """Returns a function that runs the search of a tuner_fn, and returns its oracle.

    There is no eval split for it to look at.
    """

    def search(tuner_fn, fn_args):
        fn_args.eval_files = ["/missing/*"]
        tuner = tuner_fn(fn_args).tuner
        # Or the collection after each trial would walk through all of TFX.
        gc.freeze()
        tuner.search()
        gc.unfreeze()
        return tuner.oracle

    return search


@pytest.fixture
def clusters():
    """Returns a function that returns the TF_CONFIG of each of two workers on this machine."""

    def build():
        ports = []
        for _ in range(2):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                ports.append(probe.getsockname()[1])
        cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
        return [
            json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
            for index in range(2)
        ]

    return build


@pytest.fixture
def on_two_workers(clusters):
    """Returns a function that calls a run_fn as two workers, and returns their exit codes."""

    def run(run_fn, fn_args, kill_before=-1):
        command = [sys.executable, "-c", _WORK, run_fn.__module__, json.dumps(vars(fn_args))]
        root = str(pathlib.Path(__file__).parents[2])
        workers = [
            subprocess.Popen(
                [*command, str(kill_before)],
                env={
                    **os.environ,
                    "PYTHONPATH": root,
                    "CUDA_VISIBLE_DEVICES": "",
                    "TF_CONFIG": config,
                },
            )
            for config in clusters()
        ]
        return [worker.wait(timeout=300) for worker in workers]

    return run


@pytest.fixture(scope="session")
def ask():
    """Returns a function that asks an exported model from a process without our code."""

    def answer(directory, columns, examples):
        request = {"columns": columns, "examples": [e.hex() for e in examples]}
        done = subprocess.run(
            [sys.executable, "-I", "-c", _ASK, directory],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return answer
