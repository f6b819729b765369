"""A CSV of one's own with text for ids, as the tutorial has it, to recommendations by name."""

import json
import os
import random
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from pipeline.run.history import latest_pushed

PIPELINE = "ncf"
QUICK = ("--set", "preset=sample", "--set", "min_ratings=5", "--set", "train_epochs=2")
KINDS = ("zoë", "o'neil, jr", "0x1F")
BOUNDS = ("--set", "min_hit_rate=0.01", "--set", "min_ndcg=0.01")
STRINGS = ("--dataset", "shop", "--set", "string_ids=true")
# A server: TensorFlow, the model's folder, and nothing of this project.
ASK = """
import json, sys
import tensorflow as tf

recommend, score = (tf.saved_model.load(sys.argv[1]).signatures[n] for n in ("recommend", "score"))
user, k, seen = json.loads(sys.argv[2])
every = tf.zeros([1, 0], tf.string)
best = recommend(
    user_id=tf.constant([user]), k=tf.constant(k), exclude=tf.constant([seen]), include=every
)
again = score(user_id=tf.constant([user]), item_id=best["item_id"])["scores"]
assert abs(again - best["scores"]).numpy().max() < 1e-4
print(json.dumps([item.decode() for item in best["item_id"].numpy()[0]]))
"""


def write_shop(folder):
    """Writes a CSV and returns the items of each user."""
    rng = random.Random(3)
    users = {f"{KINDS[at % 3]} {at}": rng.sample(range(60), 12) for at in range(120)}
    rows = [
        f'"{user}","sku ""{item:02}""",{1_600_000_000 + when},{rng.randint(1, 5)}\n'
        for user, items in users.items()
        for when, item in enumerate(items)
    ]
    rng.shuffle(rows)
    os.makedirs(folder)
    with open(os.path.join(folder, "ratings.csv"), "w", encoding="utf-8") as file:
        file.write("userId,movieId,timestamp,rating\n" + "".join(rows))
    with open(os.path.join(folder, "movies.csv"), "w", encoding="utf-8") as file:
        titles = [f'"sku ""{item:02}""",Thing {item:02},\n' for item in range(60)]
        file.write("movieId,title,genres\n" + "".join(titles))
    return {user: [f'sku "{item:02}"' for item in items] for user, items in users.items()}


@pytest.mark.slow
def test_a_csv_with_text_for_ids_leads_to_recommendations_by_name(workplace, capfd):
    shop = write_shop(os.path.join(workplace.data, "shop"))
    # What was blessed before takes integers, and is no baseline for what comes now.
    assert workplace.run(*QUICK, *BOUNDS).code == 0
    refused = workplace.run("--dataset", "shop", *QUICK, *BOUNDS)
    assert refused.code == 2 and "string_ids=true" in refused.mistake()
    done = workplace.run(*STRINGS, *QUICK, *BOUNDS)
    assert done.code == 0, done.out + done.err
    assert workplace.summary()["baseline"] == {}
    assert workplace.summary()["counters"]["users"] == len(shop) == 120

    user = "o'neil, jr 7"
    shown = workplace.use(capfd, "recommend", "--user", user, "--top", "4")
    assert shown.code == 0 and shown.err == ""
    heading, *rows = shown.out.splitlines()
    assert heading == f"user {user}" and all("Thing" in row for row in rows)
    served = latest_pushed(os.path.dirname(workplace.home), "ncf")
    request = json.dumps([user, 4, shop[user]])
    answer = subprocess.run(
        [sys.executable, "-I", "-c", ASK, served.folder, request],
        capture_output=True,
        text=True,
        cwd="/",
        check=True,
    )
    best = json.loads(answer.stdout.splitlines()[-1])
    assert len(best) == 4 and not set(best) & set(shop[user])
    assert all(item in row for item, row in zip(best, rows, strict=True))

    out = str(workplace.folder / "all.parquet")
    assert workplace.use(capfd, "recommend", "--all", "--top", "4", "--out", out).code == 0
    table = pq.read_table(out)
    assert set(table["user_id"].to_pylist()) == set(shop)
    at = table["user_id"].to_pylist().index(user)
    assert table["item_id"].to_pylist()[at : at + 4] == best
    # A second model of the same data has the first for its baseline.
    other = ("--set", "seed=1", "--set", "max_regression=1")
    assert workplace.run(*STRINGS, *QUICK, *BOUNDS, *other).code == 0
    assert "hit_rate_at_10" in workplace.summary()["baseline"]
