"""Tests of how the Evaluator reads Examples."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_model_analysis.api.types import VarLenTensorValue
from tensorflow_model_analysis.utils.model_util import get_inputs
from tensorflow_model_analysis.utils.util import split_extracts

from components.evaluator.eval_model import (
    IndexedLists,
    custom_extractors,
    index_lists,
    name_examples,
)


def lists(*rows):
    return VarLenTensorValue.from_dense_rows([np.array(row, np.int64) for row in rows])


@pytest.mark.parametrize(
    "rows",
    [
        [[1], [2, 3], [4, 5, 6]],
        [[], [2, 3], [], [], [4]],
        [[7], []],
        [[], [7]],
        [[8, 9]],
        [[], []],
    ],
)
def test_each_example_has_the_lists_that_tfma_finds(rows):
    batch = {
        "input": np.array([b"x"] * len(rows), object),
        "features": {"a": lists(*rows)},
        "labels": lists(*rows),
        "weights": np.ones(len(rows)),
    }
    indexed = index_lists(batch)
    assert isinstance(indexed["features"]["a"], IndexedLists)
    assert isinstance(indexed["labels"], IndexedLists)
    found, expected = split_extracts(indexed), split_extracts(batch)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        if "labels" in other:
            assert one["labels"].tolist() == other["labels"].tolist()
            assert one["features"]["a"].tolist() == other["features"]["a"].tolist()
        assert one["weights"] == other["weights"]


def test_a_signature_finds_the_examples_by_the_name_of_its_input():
    batch = {"input": np.array([[b"x"], [b"y"]], object), "features": {"a": np.ones(2)}}
    named = name_examples(batch)
    assert named["features"]["examples"].tolist() == [b"x", b"y"]
    assert batch["features"].keys() == {"a"}
    spec = {"examples": tf.TensorSpec([None], tf.string)}
    (tensor,) = get_inputs(named["features"], spec).values()
    assert tensor.numpy().tolist() == [b"x", b"y"]


def test_a_feature_that_has_the_name_already_stays():
    batch = {"input": np.array([b"x"], object), "features": {"examples": np.ones(1)}}
    assert name_examples(batch)["features"] == {"examples": np.ones(1)}


def test_examples_are_named_before_a_model_is_called_and_lists_indexed_before_they_are_told_apart():
    names = [stage.stage_name for stage in custom_extractors(eval_config=None)]
    assert names[:2] == ["ExtractFeatures", "NameExamples"]
    assert names[names.index("IndexLists") + 1] == "ExtractUnbatchedInputs"
