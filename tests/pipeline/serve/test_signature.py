import os
import subprocess
import sys
import warnings

import pytest

from pipeline.serve.signature import quiet_stack

# A model that says nothing of its own, asked as `recommend` and `predict` ask.
_ASK = """
import sys
from pipeline.serve.signature import Signature
from transforms.base.errors import UserError

double = Signature(sys.argv[1], "double")
print(double.inputs, double({"x": [1.0, 2.0]})["y"].tolist())
try:
    Signature(sys.argv[1], "recommend_history")
except UserError as error:
    print(error)
print(sorted({"keras", "tf_keras", "scipy", "h5py"} & set(sys.modules)))
"""
_EXPORT = """
import sys
import tensorflow as tf

module = tf.Module()
module.double = tf.function(
    lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec([None], tf.float32, name="x")]
)
tf.saved_model.save(module, sys.argv[1], signatures={"double": module.double})
"""


def run(program, folder, **variables):
    return subprocess.run(
        [sys.executable, "-c", program, folder],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("model"))
    run(_EXPORT, folder)
    return folder


@pytest.mark.parametrize("legacy", ["0", "1"], ids=["Keras 3", "Keras 2"])
def test_a_model_answers_without_a_word_of_the_stack_or_what_it_imports_in_vain(model, legacy):
    # TensorFlow imports the Keras that this variable chooses.
    asked = run(_ASK, model, TF_USE_LEGACY_KERAS=legacy)
    answer, mistake, imported = asked.stdout.splitlines()
    assert answer == "['x'] [2.0, 4.0]" and imported == "[]"
    assert mistake.startswith(f"{model}: the model has no signature 'recommend_history', which")
    assert asked.stderr == ""


@pytest.mark.parametrize("own", [None, "1"])
def test_the_stack_is_told_to_be_quiet_unless_a_user_told_it_otherwise(own, monkeypatch):
    variables = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    for name in variables:
        # What is set in the test is put back after it.
        monkeypatch.setenv(name, own or "")
        if own is None:
            del os.environ[name]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        quiet_stack()
        warnings.warn("of a version", DeprecationWarning, stacklevel=1)
    assert not heard
    assert {name: os.environ[name] for name in variables} == {
        name: own or quiet for name, quiet in variables.items()
    }
