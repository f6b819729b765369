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


def custom_eval_shared_model(eval_saved_model_path: str, **arguments: Any) -> Any:
    """Returns a model as TFMA takes it; TFX calls this by its name.

    A pushed model lies in its folder itself, where TFX looks for one in an artifact.
    """
    parent = os.path.dirname(eval_saved_model_path)
    pushed = fileio.exists(os.path.join(parent, "saved_model.pb"))
    path = parent if pushed else eval_saved_model_path
    return tfma.default_eval_shared_model(eval_saved_model_path=path, **arguments)


def custom_extractors(**arguments: Any) -> list[extractor.Extractor]:
    """Returns TFMA's extractors, and one that tells lists apart faster; TFX calls this by its name.

    Args:
        **arguments: TFMA's own.
    """
    extractors = list(tfma.default_extractors(**arguments))
    stages = [stage.stage_name for stage in extractors]
    lists = extractor.Extractor("IndexLists", beam.Map(index_lists))
    extractors.insert(stages.index(unbatch_extractor.UNBATCH_EXTRACTOR_STAGE_NAME), lists)
    return extractors


def index_lists(extracts: Any) -> Any:
    """Returns the extracts of a batch of Examples with `IndexedLists` for TFMA's lists."""
    if isinstance(extracts, dict):
        return {name: index_lists(extract) for name, extract in extracts.items()}
    return IndexedLists(*extracts) if isinstance(extracts, types.VarLenTensorValue) else extracts


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
