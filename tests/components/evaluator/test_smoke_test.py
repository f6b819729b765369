"""Real SavedModels, asked in a process of their own."""

import pytest
import tensorflow as tf

from components.evaluator import smoke_test
from components.evaluator.smoke_test import SmokeTest

WHAT = "the exported model does not answer in a process of its own: "
TEXT = tf.TensorSpec([None], tf.string, "examples")


def feature(values):
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


@pytest.fixture
def examples(tmp_path):
    """Ten Examples, in two files, of which the second lacks a feature."""
    for name, first in (("a", 0), ("b", 5)):
        with tf.io.TFRecordWriter(str(tmp_path / f"data-{name}.gz"), "GZIP") as writer:
            for user in range(first, first + 5):
                features = {
                    "user_id": feature([user]),
                    "item_id": feature([user, 7]),
                    "work": feature([b"x"]),
                    "age": feature([float(user)]),
                }
                if user == 1:
                    del features["work"]
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    return f"{tmp_path}/data-*"


def failure(tmp_path, examples, **functions):
    """What is said of a model with these functions, each with its input signature."""
    module = tf.Module()
    signatures = {name: tf.function(*function) for name, function in functions.items()}
    module.functions = list(signatures.values())
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=signatures)
    with SmokeTest(str(tmp_path / "model"), examples) as test:
        return test.failure()


def equal(x, expected):
    return tf.debugging.assert_equal(x, tf.constant(expected, x.dtype))


def test_each_signature_is_asked_with_what_examples_hold(tmp_path, examples):
    def of_ids(user_id, item_id, k, exclude, age, work, two):
        checks = [
            equal(user_id, [0, 1, 2, 3, 4, 5, 6, 7]),
            # A list of any length gets three values, the Example's over and over.
            equal(item_id, [[user, 7, user] for user in range(8)]),
            equal(k, 3),
            equal(tf.shape(exclude), [8, 0]),
            equal(age, [[user] for user in range(8)]),
            equal(work, ["x", "", *"xxxxxx"]),
            equal(tf.shape(two), [8, 2]),
        ]
        with tf.control_dependencies(checks):
            return {"scores": tf.cast(user_id, tf.float32)}

    specs = {
        "user_id": ([None], tf.int64),
        "item_id": ([None, None], tf.int64),
        "k": (None, tf.int32),
        "exclude": ([None, None], tf.int64),
        "age": ([None, 1], tf.float32),
        "work": ([None], tf.string),
        "two": ([None, 2], tf.float32),
    }
    signature = [tf.TensorSpec(*spec, name) for name, spec in specs.items()]
    whole = (lambda examples: {"n": tf.strings.length(examples)}, [TEXT])
    assert failure(tmp_path, examples, score=(of_ids, signature), serving_default=whole) == ""


def refuse(examples):
    taken = tf.debugging.assert_equal(tf.shape(examples)[0], 99, "this many are not taken")
    with tf.control_dependencies([taken]):
        return {"n": tf.strings.length(examples)}


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (
            lambda examples: {"n": tf.strings.to_number(examples)},
            "signature score: InvalidArgumentError: StringToNumberOp could not correctly convert",
        ),
        (refuse, "signature score: InvalidArgumentError: assertion failed: [this many"),
        (
            lambda examples: {"n": tf.strings.length(examples)[:3]},
            "signature score: ValueError: n has the shape [3] for 8 requests",
        ),
        (
            lambda examples: {"n": tf.strings.length(examples)[0]},
            "signature score: ValueError: n has the shape [] for 8 requests",
        ),
    ],
)
def test_a_signature_without_an_answer_is_named_in_a_line(function, told, tmp_path, examples):
    whole = (lambda examples: {"n": tf.strings.length(examples)}, [TEXT])
    said = failure(tmp_path, examples, serving_default=whole, score=(function, [TEXT]))
    assert said.startswith(WHAT + told) and "\n" not in said and len(said) < 500


def test_a_model_that_cannot_be_loaded_is_told(tmp_path, examples):
    with SmokeTest(str(tmp_path / "none"), examples) as test:
        said = test.failure()
    assert said.startswith(f"{WHAT}OSError: SavedModel file does not exist at: {tmp_path}/none")
    assert "\n" not in said


def test_our_code_is_out_of_the_models_reach(tmp_path, examples, monkeypatch):
    script = tmp_path / "ask.py"
    script.write_text("import components\n")
    monkeypatch.setattr(smoke_test.ask_model, "__file__", str(script))
    monkeypatch.setenv("PYTHONPATH", ".")
    with SmokeTest("model", examples) as test:
        assert test.failure() == f"{WHAT}ModuleNotFoundError: No module named 'components'"


def test_a_model_that_never_answers_is_told_and_left(tmp_path, examples, monkeypatch):
    script = tmp_path / "ask.py"
    script.write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setattr(smoke_test.ask_model, "__file__", str(script))
    monkeypatch.setattr(smoke_test, "_SECONDS", 0.2)
    with SmokeTest("model", examples) as test:
        assert test.failure() == f"{WHAT}no end after 0.2 s"
    assert test._process.returncode < 0
