"""How TFX's Evaluator is to load a model; TFX imports this module by name, anew each time."""

import os
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.dsl.io import fileio


def custom_eval_shared_model(eval_saved_model_path: str, **arguments: Any) -> Any:
    """Returns a model as TFMA takes it; TFX calls this by its name.

    A pushed model lies in its folder itself, where TFX looks for one in an artifact.
    """
    parent = os.path.dirname(eval_saved_model_path)
    pushed = fileio.exists(os.path.join(parent, "saved_model.pb"))
    path = parent if pushed else eval_saved_model_path
    return tfma.default_eval_shared_model(eval_saved_model_path=path, **arguments)
