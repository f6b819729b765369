"""Loads a pushed model with TensorFlow alone, and without a word on the terminal."""

import gc
import os
import warnings
from typing import Any

__all__ = ["load_signatures", "quiet_stack"]


def quiet_stack() -> None:
    """Keeps what TensorFlow and Beam say when they are imported off the terminal."""
    # Read once, when TensorFlow's runtime is loaded.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # They warn of the versions of their own parts, which nobody here can change.
    warnings.simplefilter("ignore")


def load_signatures(folder: str) -> Any:
    """Returns the signatures of a SavedModel by name.

    Args:
        folder: The SavedModel.
    """
    quiet_stack()
    # A quarter of the seconds that the import takes goes to looking for garbage, of which there is
    # next to none.
    collecting = gc.isenabled()
    gc.disable()
    try:
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        return tf.saved_model.load(folder).signatures
    finally:
        if collecting:
            gc.enable()
