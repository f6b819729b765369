"""Examples of the embedded samples, and what is in them."""

import glob
import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tfx.types import standard_artifacts

from pipeline.config import preset
from pipeline.datasets.locate import locate
from pipeline.pipeline import create_pipeline
from pipeline.pipelines.registry import definition
from pipeline.run.deployment import local_deployment
from transforms.base.in_process_beam import LOCAL_ARGS


def make_examples(pipeline: str, folder: pathlib.Path, beam_args: Sequence[str]) -> str:
    """Runs the pipeline's ExampleGen on the embedded sample and returns its artifact's folder."""
    data = locate(
        definition(pipeline).load_catalog(),
        "sample",
        str(folder),
        str(folder),
        allow_download=False,
    )
    deployment = local_deployment(preset(pipeline, "sample"), "sample", data, str(folder / "home"))
    (component,) = (
        node
        for node in create_pipeline(preset(pipeline, "sample"), deployment).components
        if node.id.endswith("ExampleGen")
    )
    executor = component.executor_spec.executor_class
    examples = standard_artifacts.Examples()
    examples.uri = str(folder / "examples")
    executor(executor.Context(beam_pipeline_args=[*LOCAL_ARGS, *beam_args])).Do(
        {}, {"examples": [examples]}, component.exec_properties
    )
    return examples.uri


def records(folder: str) -> dict[str, list[bytes]]:
    """Returns the records in each split of an artifact, sorted.

    Parsed and serialised again: the order of the features in the files differs by process.
    """
    return {
        split: sorted(
            tf.train.Example.FromString(record).SerializeToString(deterministic=True)
            for record in tf.data.TFRecordDataset(
                glob.glob(f"{folder}/Split-{split}/*.gz"), "GZIP"
            ).as_numpy_iterator()
        )
        for split in ("train", "eval")
    }


def assert_equal_but_for_rounding(one: list[bytes], other: list[bytes]) -> None:
    """Compares records whose float features may differ in their last bits.

    A mean or a variance, which they are scaled by, depends on the order of its sum. Scaling keeps
    the order of values, so that sorted rows stay side by side.
    """
    floats, others = zip(_columns(one), _columns(other), strict=True)
    assert others[0] == others[1]
    np.testing.assert_allclose(*floats, rtol=1e-5, atol=1e-6)


def _columns(serialized: list[bytes]) -> tuple[np.ndarray, list[tuple]]:
    """Returns all float values, and all other features, of the sorted rows."""
    rows = []
    for record in serialized:
        features = tf.train.Example.FromString(record).features.feature
        kinds = {name: features[name].WhichOneof("kind") for name in sorted(features)}
        rows.append(
            [(name, k, tuple(getattr(features[name], k).value)) for name, k in kinds.items()]
        )
    entries = [entry for row in sorted(rows) for entry in row]
    floats = [value for _, kind, values in entries if kind == "float_list" for value in values]
    return np.asarray(floats), [entry for entry in entries if entry[1] != "float_list"]
