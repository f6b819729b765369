"""Tests of how the Evaluator reads Examples."""

import numpy as np
import pytest
from tensorflow_model_analysis.api.types import VarLenTensorValue
from tensorflow_model_analysis.utils.util import split_extracts

from components.evaluator.eval_model import IndexedLists, custom_extractors, index_lists


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
    batch = {"features": {"a": lists(*rows)}, "labels": lists(*rows), "weights": np.ones(len(rows))}
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


def test_lists_are_indexed_right_before_examples_are_told_apart():
    names = [stage.stage_name for stage in custom_extractors(eval_config=None)]
    assert names[names.index("IndexLists") + 1] == "ExtractUnbatchedInputs"
