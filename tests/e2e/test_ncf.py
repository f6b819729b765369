"""The whole ncf pipeline on the embedded sample, as its user runs it."""

import base64
import json
import os
import re
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from components.ncf_trainer.interactions import read_interactions
from pipeline.run.history import latest_pushed
from tests.e2e.conftest import ROOT

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
    assert lines[-3].startswith("blessed and pushed: ")
    with open(os.path.join(summary["pushed_model"], "record.json"), encoding="utf-8") as file:
        record = json.load(file)
    assert record["metrics"] == summary["metrics"] and record["parent"] == ""
    assert record["settings"]["trainer"] == summary["settings"]["trainer"]
    assert record["data"]["fingerprint"] == summary["lineage"]["data_fingerprint"] != ""
    assert [line.partition(":")[0] for line in lines[-2:]] == ["summary", "report"]
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


def _scores_of_unseen(model, seen):
    """Scores of every user and item of the training data, -inf where the user has seen it."""
    items = np.unique(seen.items)
    score = tf.saved_model.load(model).signatures["score"]
    scores = score(
        user_id=tf.constant(seen.users), item_id=tf.constant(np.tile(items, (len(seen.users), 1)))
    )["scores"].numpy()
    for row, user in enumerate(seen.users):
        scores[row, np.isin(items, seen.of(user))] = -np.inf
    return items, scores


@pytest.mark.usefixtures("first")
def test_recommend_is_the_best_unseen_of_all_items(workplace, capfd, tmp_path):
    served = latest_pushed(os.path.dirname(workplace.home), "ncf")
    seen = read_interactions(served.origin()["data"]["examples"])
    items, scores = _scores_of_unseen(served.folder, seen)
    order = np.argsort(-scores, axis=1)[:, :5]
    out = str(tmp_path / "all.parquet")
    assert workplace.use(capfd, "recommend", "--all", "--top", "5", "--out", out).code == 0
    table = pq.read_table(out)
    assert table["user_id"].to_numpy().reshape(-1, 5)[:, 0].tolist() == seen.users.tolist()
    np.testing.assert_array_equal(table["item_id"].to_numpy().reshape(-1, 5), items[order])
    expected = np.take_along_axis(scores, order, axis=1)
    np.testing.assert_allclose(table["score"].to_numpy().reshape(-1, 5), expected, atol=1e-5)

    one = workplace.use(capfd, "recommend", "--user", str(seen.users[3]), "--top", "5")
    shown = [line.split() for line in one.out.splitlines()[1:]]
    assert [int(words[2]) for words in shown] == items[order[3]].tolist()
    titles = table["title"].to_pylist()[15:20]
    assert all(title in line for title, line in zip(titles, one.out.splitlines()[1:], strict=True))

    user = str(seen.users[3])
    every = workplace.use(
        capfd, "recommend", "--user", user, "--user", f"0{user}", "--top", "9" * 12
    )
    assert len(every.out.splitlines()) == 1 + len(items) - len(seen.of(seen.users[3]))

    stranger = workplace.use(capfd, "recommend", "--user", "987654", "--top", "2")
    assert "warning: user 987654 was not trained on" in stranger.err
    assert len(stranger.out.splitlines()) == 3


@pytest.mark.usefixtures("first")
def test_the_pushed_model_answers_requests_to_tensorflow_serving(workplace, rest):
    model = latest_pushed(os.path.dirname(workplace.home), "ncf").folder
    by_row = {
        "signature_name": "recommend",
        "instances": [
            {"user_id": 1, "k": 3, "exclude": [1, 2], "include": []},
            {"user_id": 987654, "k": 3, "exclude": [5, -1], "include": []},
        ],
    }
    predictions = rest(model, json.dumps(by_row))["predictions"]
    assert [len(row["item_id"]) for row in predictions] == [3, 3]
    by_column = {
        "signature_name": "recommend",
        "inputs": {
            "user_id": [1, 987654],
            "k": 3,
            "exclude": [[1, 2], [5, -1]],
            "include": [[], []],
        },
    }
    outputs = rest(model, json.dumps(by_column))["outputs"]
    assert outputs["item_id"] == [row["item_id"] for row in predictions]
    scored = {"user_id": 1, "item_id": outputs["item_id"][0]}
    again = rest(model, json.dumps({"signature_name": "score", "instances": [scored]}))
    np.testing.assert_allclose(again["predictions"][0], outputs["scores"][0], atol=1e-5)
    example = base64.b64encode(_examples(workplace, "eval")[0]).decode()
    served = rest(model, json.dumps({"instances": [{"b64": example}]}))["predictions"]
    assert np.isfinite(served).all() and len(served) == 1


@pytest.mark.usefixtures("first")
def test_the_report_has_the_figures_of_the_summary(workplace, figures):
    summary = workplace.summary()
    shown = figures(os.path.join(workplace.home, "report.html"))
    measured = [*summary["metrics"].values(), *summary["seconds"].values()]
    measured += [value for epoch in summary["epochs"] for value in epoch.values()]
    unused = {
        value for epoch in summary["epochs"] for value in (epoch["seconds"], epoch["examples"])
    }
    assert set(map(float, measured)) - set(map(float, unused)) <= shown


@pytest.mark.slow
@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_reads_well_in_a_browser(width, workplace, browser):
    assert browser(os.path.join(workplace.home, "report.html"), width) == (width, [])


@pytest.mark.usefixtures("first")
def test_list_tells_of_the_run_and_its_model(workplace, capfd):
    listed = workplace.use(capfd, "list")
    assert listed.code == 0 and f"model {workplace.pushed()[0]}" in listed.out
    assert re.search(rf"^    {workplace.pushed()[0]}  sample  hit_rate_at_10 0\.", listed.out, re.M)


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


@pytest.mark.usefixtures("first")
def test_of_a_validation_split_nothing_is_pushed_and_nothing_compared(workplace, capfd):
    pushed = workplace.pushed()
    measured = workplace.run_here(capfd, *QUICK, "--set", "holdout=validation")
    assert measured.code == 0, measured.out
    assert (
        f"not compared with model {pushed[0]}, which is in use: its split has holdout=test, "
        in (measured.out)
    )
    assert "holdout=validation: nothing is pushed of it" in measured.out
    assert measured.out.count("pushed") == 2 and workplace.pushed() == pushed
    assert workplace.summary()["outcome"] == "measured"
    assert workplace.run_here(capfd, *QUICK).code == 0
    assert workplace.executed() == set()


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
    assert workplace.summary()["outcome"] == "user_mistake"
    assert workplace.summary()["reasons"] == [done.mistake().removeprefix("error: ")]
    assert os.path.exists(os.path.join(workplace.home, "report.html"))


def test_more_gpus_than_there_are_is_one_line_and_exit_2(workplace, capfd):
    done = workplace.run_here(capfd, "--set", "num_gpus=1")
    assert done.code == 2
    assert done.mistake().startswith("error: num_gpus=1: this machine has 0 GPUs")


@pytest.mark.usefixtures("first")
def test_all_users_are_recommended_after_a_push_what_recommend_tells_them(
    workplace, capfd, tmp_path
):
    done = workplace.run(*QUICK, "--set", "batch_top=7")
    assert done.code == 0, done.out + done.err
    (line,) = [line for line in done.out.splitlines() if line.startswith("recommendations: ")]
    folder = workplace.summary()["lineage"]["recommendations"]
    assert line == f"recommendations: {os.path.realpath(folder)}"
    shards = pq.read_table(folder)
    out = str(tmp_path / "all.parquet")
    assert workplace.use(capfd, "recommend", "--all", "--top", "7", "--out", out).code == 0
    order = [("user_id", "ascending"), ("rank", "ascending")]
    found, told = (table.sort_by(order) for table in (shards, pq.read_table(out)))
    for name in ("user_id", "rank", "item_id"):
        assert found[name].to_pylist() == told[name].to_pylist()
    np.testing.assert_allclose(found["score"], told["score"], atol=1e-5)


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("who", [["--all", "--out", "-"], ["--user"], ["--item"]])
def test_recommend_keeps_the_words_of_the_stack_to_itself(workplace, who):
    served = latest_pushed(os.path.dirname(workplace.home), "ncf")
    seen = read_interactions(served.origin()["data"]["examples"])
    known = {"--user": [str(seen.users[0])], "--item": [str(seen.items[0])]}
    asked = [*who, *known.get(who[0], [])]
    root = ["--output-root", os.path.dirname(workplace.home)]
    command = [sys.executable, "-m", "pipeline", "recommend", *asked, "--top", "2", *root]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout
    assert done.stderr == ""
