"""The whole ncf pipeline on the embedded sample, as its user runs it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
QUICK = ["--set", "train_epochs=6", "--set", "min_hit_rate=0.3", "--set", "min_ndcg=0.15"]


class Workplace:
    """A data root and an output root; `run` runs the command line in a process of its own."""

    def __init__(self, folder):
        self.data, self.output = str(folder / "data"), str(folder / "output")
        self.serving = os.path.join(self.output, "ncf", "serving")

    def run(self, *arguments):
        command = [sys.executable, "-m", "pipeline", "run", "ncf", "--dataset", "sample"]
        roots = ["--data-root", self.data, "--output-root", self.output]
        return subprocess.run(
            [*command, *roots, *arguments], cwd=ROOT, capture_output=True, text=True
        )

    def summary(self):
        with open(os.path.join(self.output, "ncf", "summary.json"), encoding="utf-8") as file:
            return json.load(file)

    def pushed(self):
        return sorted(os.listdir(self.serving)) if os.path.isdir(self.serving) else []

    def examples(self, split):
        root = os.path.join(self.output, "ncf", "artifacts", "MovieLensExampleGen", "examples")
        newest = max(os.listdir(root), key=int)
        files = tf.io.gfile.glob(os.path.join(root, newest, f"Split-{split}", "*"))
        return [r.numpy() for r in tf.data.TFRecordDataset(files, "GZIP")]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    workplace = Workplace(tmp_path_factory.mktemp("ncf"))
    return workplace, workplace.run(*QUICK)


def test_a_first_run_ends_with_a_verdict_and_a_pushed_model(first):
    workplace, done = first
    assert done.returncode == 0, done.stdout + done.stderr
    summary = workplace.summary()
    lines = done.stdout.splitlines()
    assert any(line.strip().startswith("hit_rate_at_10") and "kept" in line for line in lines)
    assert lines[-2].startswith("blessed and pushed: ")
    assert summary["blessed"] and os.path.isdir(summary["pushed_model"])
    assert summary["counters"]["rows"] > 0 and summary["examples_per_second"] > 0
    assert set(summary["seconds"]) >= {"MovieLensExampleGen", "Trainer", "Evaluator", "Pusher"}
    assert done.stderr == ""


def test_the_pushed_model_answers_as_evaluated_in_a_process_without_our_code(first, tmp_path):
    workplace, _ = first
    serialised = workplace.examples("eval")
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


def test_an_unchanged_run_executes_nothing_and_a_bound_that_is_not_met_pushes_nothing(first):
    workplace, _ = first
    pushed = workplace.pushed()
    assert workplace.run(*QUICK).returncode == 0
    # The resolver looks up, and has nothing to cache.
    assert set(workplace.summary()["seconds"]) - set(workplace.summary()["cached"]) == {
        "BaselineResolver"
    }
    refused = workplace.run(*QUICK, "--set", "min_hit_rate=0.99")
    assert refused.returncode == 3
    assert "is below min_hit_rate=0.99" in refused.stdout
    assert "nothing was pushed" in refused.stdout
    assert workplace.summary()["pushed_model"] is None and not workplace.summary()["blessed"]
    assert workplace.pushed() == pushed
    assert "Trainer" in workplace.summary()["cached"]
