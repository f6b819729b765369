import os
import subprocess
import sys

import pytest

# A model that says nothing of its own, asked as `recommend` and `predict` ask.
_ASK = """
import sys
from pipeline.serve.signature import Signature

print(Signature(sys.argv[1], "double")({"x": [1.0, 2.0]})["y"].tolist())
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
    assert asked.stdout.splitlines() == ["[2.0, 4.0]", "[]"]
    assert asked.stderr == ""
