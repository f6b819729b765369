import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer import trainer
from components.ncf_trainer.trainer import run_fn
from components.training.loop import HISTORY_FILE

FAST = {
    "train_epochs": 20,
    "batch_size": 500,
    "learning_rate": 0.01,
    "epochs_between_evals": 5,
    "num_neg": 4,
}

# What a server does: TensorFlow, the model's folder, and nothing of this project.
ASK = """
import json, sys
import tensorflow as tf

model = tf.saved_model.load(sys.argv[1])
request = json.loads(sys.stdin.read())
users = tf.constant(request["users"], tf.int64)
items = tf.constant(request["items"], tf.int64)
examples = tf.constant([bytes.fromhex(e) for e in request["examples"]])
signatures = model.signatures
answer = {
    "score": signatures["score"](user_id=users, item_id=items)["scores"].numpy().tolist(),
    "serving_default": signatures["serving_default"](examples)["scores"].numpy().tolist(),
    "transformed": sorted(signatures["transform_features"](examples)),
}
if "histories" in request:
    histories = tf.constant(request["histories"], tf.int64)
    scores = signatures["score_history"](history=histories, item_id=items)["scores"]
    answer["score_history"] = scores.numpy().tolist()
print(json.dumps(answer))
"""

OF_HISTORIES = [
    {**FAST, "model_type": "sasrec", "num_factors": 16, "max_length": 20, "next_item_share": 0.2},
    {**FAST, "model_type": "next_item", "train_epochs": 1},
]


def history(args):
    with open(os.path.join(args.model_run_dir, HISTORY_FILE), encoding="utf-8") as file:
        return json.load(file)


def ask(directory, **request):
    done = subprocess.run(
        [sys.executable, "-I", "-c", ASK, directory],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def parse():
    def parsed(serialised):
        feature = tf.train.Example.FromString(serialised).features.feature
        return feature["user_id"].int64_list.value[0], list(feature["item_id"].int64_list.value)

    return parsed


def test_a_training_ends_once_the_hit_rate_is_reached(fn_args, monkeypatch):
    goals = []
    monkeypatch.setattr(
        trainer, "train_and_export", lambda args, setup, fit, goal, to: goals.append(goal)
    )
    run_fn(fn_args(**FAST))
    assert goals == [("hit_rate_at_10", True)]


def test_trains_a_model_that_serves_anywhere(fn_args, raw_examples, parse):
    args = fn_args(**FAST)
    forgotten = os.path.join(args.custom_config["checkpoint_root"], "0" * 16)
    os.makedirs(forgotten)
    os.utime(forgotten, (0, 0))
    run_fn(args)

    epochs = history(args)["epochs"]
    assert [e["epoch"] for e in epochs if "hit_rate_at_10" in e] == [5, 10, 15, 20]
    assert epochs[-1]["hit_rate_at_10"] > 0.9
    assert history(args)["examples_per_second"] > 0
    assert not os.listdir(args.custom_config["checkpoint_root"])

    examples = raw_examples["eval"][:3]
    users, items = zip(*map(parse, examples), strict=True)
    unknown = [[999_999, *list_of_items[:-1]] for list_of_items in items]
    answer = ask(
        args.serving_model_dir,
        users=[*users, 999_999],
        items=[*items, unknown[0]],
        examples=[e.hex() for e in [*examples, shorter(examples[0])]],
    )
    scores = np.array(answer["score"])
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(answer["serving_default"][:3], scores[:3], rtol=1e-5)
    padded = answer["serving_default"][3]
    np.testing.assert_allclose(padded[:2], scores[0][:2], rtol=1e-5)
    assert set(padded[2:]) == {np.finfo(np.float32).min}
    assert answer["transformed"] == ["item_row", "label", "user_row"]


@pytest.mark.parametrize("settings", OF_HISTORIES)
def test_a_model_of_histories_serves_anybody_anywhere(settings, fn_args, raw_examples, parse):
    args = fn_args(**settings)
    run_fn(args)
    assert history(args)["epochs"][-1]["hit_rate_at_10"] > 0.9
    examples = raw_examples["eval"][:3]
    users, items = zip(*map(parse, examples), strict=True)
    histories = [parse(example)[1] for example in raw_examples["train"][:3]]
    answer = ask(
        args.serving_model_dir,
        users=users,
        items=items,
        examples=[e.hex() for e in examples],
        histories=histories,
    )
    np.testing.assert_allclose(answer["serving_default"], answer["score"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(answer["score_history"], answer["score"], rtol=1e-5, atol=1e-5)
    assert answer["transformed"] == ["item_row", "label", "user_row"]


@pytest.mark.slow
def test_two_workers_go_on_where_they_were_killed_and_one_exports(fn_args, on_two_workers):
    args = fn_args(**FAST)
    assert on_two_workers(run_fn, args, kill_before=12) == [9, 9]
    assert not os.path.exists(args.serving_model_dir)
    assert on_two_workers(run_fn, args, kill_before=0) == [0, 0]
    assert history(args)["epochs"][-1]["hit_rate_at_10"] > 0.9
    assert not os.listdir(args.custom_config["checkpoint_root"])
    assert "recommend" in tf.saved_model.load(args.serving_model_dir).signatures


def shorter(serialised):
    message = tf.train.Example.FromString(serialised)
    del message.features.feature["item_id"].int64_list.value[2:]
    return message.SerializeToString()
