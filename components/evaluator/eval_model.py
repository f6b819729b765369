"""How the Evaluator loads a model and reads for it; TFX imports this module by name, each time."""

import os
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.api import types
from tensorflow_model_analysis.extractors import extractor, unbatch_extractor
from tfx.dsl.io import fileio

_EXAMPLES = "examples"
# TFMA keeps this name of its own to itself.
_FEATURES_STAGE = "ExtractFeatures"


def custom_eval_shared_model(eval_saved_model_path: str, **arguments: Any) -> Any:
    """Returns a model as TFMA takes it; TFX calls this by its name.

    A pushed model lies in its folder itself, where TFX looks for one in an artifact.
    """
    parent = os.path.dirname(eval_saved_model_path)
    pushed = fileio.exists(os.path.join(parent, "saved_model.pb"))
    path = parent if pushed else eval_saved_model_path
    return tfma.default_eval_shared_model(eval_saved_model_path=path, **arguments)


def custom_extractors(**arguments: Any) -> list[extractor.Extractor]:
    """Returns TFMA's extractors, and two that save it time; TFX calls this by its name.

    Args:
        **arguments: TFMA's own.
    """
    extractors = []
    for stage in tfma.default_extractors(**arguments):
        if stage.stage_name == unbatch_extractor.UNBATCH_EXTRACTOR_STAGE_NAME:
            extractors.append(extractor.Extractor("IndexLists", beam.Map(index_lists)))
        extractors.append(stage)
        if stage.stage_name == _FEATURES_STAGE:
            extractors.append(extractor.Extractor("NameExamples", beam.Map(name_examples)))
    return extractors


def name_examples(extracts: types.Extracts) -> types.Extracts:
    """Returns the extracts of a batch with the serialised Examples as a feature.

    It has the name of a signature's only input, so that TFMA calls the signature by that name.
    Without one, TensorFlow refuses the call at first and writes all Examples into a message, which
    took a quarter of an evaluation of ratings, and nobody reads.
    """
    serialised = np.ravel(extracts[tfma.INPUT_KEY])
    # A feature of that name stays what it is.
    features = {_EXAMPLES: serialised, **extracts[tfma.FEATURES_KEY]}
    return {**extracts, tfma.FEATURES_KEY: features}


def index_lists(extracts: Any) -> Any:
    """Returns the extracts of a batch with `IndexedLists` for TFMA's lists."""
    if isinstance(extracts, dict):
        return {name: index_lists(extract) for name, extract in extracts.items()}
    # TFMA has checked them: to make one by its constructor checks them again.
    is_lists = isinstance(extracts, types.VarLenTensorValue)
    return IndexedLists._make(extracts) if is_lists else extracts


class IndexedLists(types.VarLenTensorValue):
    """TFMA's lists of a batch, found by where each begins.

    TFMA's own look through the whole batch for each Example: with lists of genres that was 40 % of
    an evaluation.
    """

    def dense_rows(self) -> Iterable[np.ndarray]:
        """Returns the list of each Example; none at all where all are empty, as TFMA's does."""
        if not self.indices.size:
            return []
        edges = np.searchsorted(self.indices[:, 0], np.arange(self.dense_shape[0] + 1))
        return np.split(self.values, edges[1:-1])
