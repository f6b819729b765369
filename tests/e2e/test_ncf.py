"""The whole ncf pipeline on the embedded sample, as its user runs it."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

PIPELINE = "ncf"
QUICK = ["--set", "train_epochs=8", "--set", "min_hit_rate=0.3", "--set", "min_ndcg=0.15"]


@pytest.fixture(scope="module")
def first(workplace):
    return workplace.run(*QUICK)


def _examples(workplace, split):
    root = os.path.join(workplace.home, "artifacts", "MovieLensExampleGen", "examples")
    newest = max(os.listdir(root), key=int)
    files = tf.io.gfile.glob(os.path.join(root, newest, f"Split-{split}", "*"))
    return [record.numpy() for record in tf.data.TFRecordDataset(files, "GZIP")]


def test_a_first_run_ends_with_a_verdict_and_a_pushed_model(workplace, first):
    assert first.code == 0, first.out + first.err
    summary = workplace.summary()
    lines = first.out.splitlines()
    assert any(line.strip().startswith("hit_rate_at_10") and "kept" in line for line in lines)
    assert lines[-2].startswith("blessed and pushed: ")
    assert summary["blessed"] and os.path.isdir(summary["pushed_model"])
    assert summary["counters"]["rows"] > 0 and summary["examples_per_second"] > 0
    assert set(summary["seconds"]) >= {"MovieLensExampleGen", "Trainer", "Evaluator", "Pusher"}
    assert first.err == ""


@pytest.mark.usefixtures("first")
def test_the_pushed_model_answers_as_evaluated_in_a_process_without_our_code(workplace, tmp_path):
    serialised = _examples(workplace, "eval")
    spec = {
        "user_id": tf.io.FixedLenFeature([1], tf.int64),
        "item_id": tf.io.RaggedFeature(tf.int64),
    }
    parsed = tf.io.parse_example(tf.constant(serialised), spec)
    items = parsed["item_id"].to_tensor().numpy()  # the held-out item comes first
    np.savez(
        tmp_path / "in.npz",
        user=parsed["user_id"].numpy()[:, 0],
        item=items,
        examples=np.array(serialised, dtype=object).astype("S"),
        lengths=np.array([len(example) for example in serialised]),
    )
    code = """
import sys, numpy as np, tensorflow as tf
data = np.load(sys.argv[2])
model = tf.saved_model.load(sys.argv[1])
score = model.signatures["score"]
ask = lambda user, item: score(user_id=tf.constant(user), item_id=tf.constant(item))["scores"]
known = ask(data["user"], data["item"]).numpy()
padded = [e.ljust(n, b"\\0") for e, n in zip(data["examples"].tolist(), data["lengths"])]
served = model.signatures["serving_default"](tf.constant(padded))["scores"].numpy()
strange = ask(np.array([-5, 10**12]), np.array([[10**12, -1], [10**13, 3]])).numpy()
assert not any(name in sys.modules for name in ("components", "transforms", "pipeline"))
np.savez(sys.argv[3], known=known, served=served, strange=strange)
"""
    model = workplace.summary()["pushed_model"]
    arguments = [model, str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    subprocess.run([sys.executable, "-I", "-c", code, *arguments], cwd=tmp_path, check=True)
    scores = np.load(tmp_path / "out.npz")
    np.testing.assert_allclose(scores["known"], scores["served"], atol=1e-6)
    assert np.isfinite(scores["strange"]).all()
    ranks = 1 + (scores["known"][:, 1:] >= scores["known"][:, :1]).sum(axis=1)
    metrics = workplace.summary()["metrics"]
    assert np.mean(ranks <= 10) == pytest.approx(metrics["hit_rate_at_10"], abs=1e-6)
    gains = np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)
    assert gains.mean() == pytest.approx(metrics["ndcg_at_10"], abs=1e-6)


@pytest.mark.usefixtures("first")
def test_an_unchanged_run_executes_nothing(workplace, capfd):
    assert workplace.run_here(capfd, *QUICK).code == 0
    assert workplace.executed() == set()


@pytest.mark.usefixtures("first")
def test_a_bound_that_is_not_met_pushes_nothing(workplace, capfd):
    pushed = workplace.pushed()
    refused = workplace.run_here(capfd, *QUICK, "--set", "min_hit_rate=0.99")
    assert refused.code == 3
    assert "is below min_hit_rate=0.99" in refused.out
    assert "nothing was pushed" in refused.out
    assert workplace.summary()["pushed_model"] is None and not workplace.summary()["blessed"]
    assert workplace.pushed() == pushed
    assert workplace.executed() == {"Evaluator", "Pusher"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "ratings.csv: "),
        ("userId,movieId,timestamp\n1,2,3\n", "rating"),
        ("userId,movieId,rating,timestamp\n1,2,3.5,4\n1,x9,3.5,5\n", "ratings.csv:3: "),
    ],
    ids=["empty", "missing column", "letter in a number"],
)
def test_malformed_input_is_one_line_and_exit_2(content, message, workplace, capfd):
    folder = os.path.join(workplace.data, "own")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "ratings.csv"), "w", encoding="utf-8") as file:
        file.write(content)
    done = workplace.run_here(capfd, "--dataset", "own")
    assert done.code == 2
    assert message in done.mistake()
    assert not os.path.exists(os.path.join(workplace.home, "summary.json"))


def test_more_gpus_than_there_are_is_one_line_and_exit_2(workplace, capfd):
    done = workplace.run_here(capfd, "--set", "num_gpus=1")
    assert done.code == 2
    assert done.mistake().startswith("error: num_gpus=1: this machine has 0 GPUs")
