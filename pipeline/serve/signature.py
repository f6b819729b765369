"""Loads a pushed model with TensorFlow alone, and without a word on the terminal."""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.imports import uncollected
from transforms.base.errors import UserError

# TensorFlow imports these if they are there, for half of the whole time, and a served model
# needs none of them.
_SPARED = ("keras", "tf_keras", "googleapiclient", "scipy", "h5py")


def quiet_stack() -> None:
    """Keeps what TensorFlow and Beam say when they are imported off the terminal.

    TensorFlow reads its settings once, when its runtime is loaded.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # oneDNN rewrites a graph before its first call, which is often the only one.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    # They warn of the versions of their own parts, which nobody here can change.
    warnings.simplefilter("ignore")


class Signature:
    """A signature of a SavedModel, from arrays to arrays."""

    def __init__(self, folder: str, name: str):
        """Loads it.

        Args:
            folder: The SavedModel.
            name: The signature's.
        """
        tf = import_tensorflow()
        # A session takes a third of the time of tf.saved_model.load, which makes a Python object
        # of each of the model's functions.
        settings = tf.compat.v1.ConfigProto()
        # What rewriting the graph takes is more than what a single call gains by it.
        settings.graph_options.rewrite_options.disable_meta_optimizer = True
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=settings)
        tags = [tf.saved_model.SERVING]
        model = tf.compat.v1.saved_model.load(self._session, tags, folder)
        if name not in model.signature_def:
            raise UserError(
                f"{folder}: the model has no signature {name!r}, which models of histories have; "
                "train one, which preset=best and preset=next_item are"
            )
        signature = model.signature_def[name]
        self._inputs = {key: tensor.name for key, tensor in signature.inputs.items()}
        self._outputs = {key: tensor.name for key, tensor in signature.outputs.items()}

    @property
    def inputs(self) -> list[str]:
        """The names of what it takes."""
        return sorted(self._inputs)

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Returns its outputs by name.

        Args:
            inputs: Arrays or lists by name.
        """
        feeds = {self._inputs[key]: value for key, value in inputs.items()}
        outputs: dict[str, np.ndarray] = self._session.run(self._outputs, feeds)
        return outputs


def import_tensorflow() -> Any:
    """Returns the module, imported without a word, and without what a served model needs none of.

    What imports it at its own start has to be imported after this.
    """
    quiet_stack()
    # With None in their place they cannot be imported; later they can be.
    spared = [name for name in _SPARED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(spared))  # type: ignore[arg-type]
    try:
        with _unheard(), uncollected():
            import tensorflow as tf
    finally:
        for name in spared:
            del sys.modules[name]
    tf.get_logger().setLevel("ERROR")
    return tf


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Keeps off the terminal what C++ says before TensorFlow has read how much it may say."""
    errors = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(errors, 2)
        os.close(errors)
