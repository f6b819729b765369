"""The whole movielens pipeline on the embedded sample."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from transforms.vectorize_genres import GENRES

PIPELINE = "movielens"
QUICK = ["--set", "train_epochs=4", "--set", "max_rmse=1.05"]


@pytest.fixture(scope="module")
def first(workplace):
    return workplace.run(*QUICK)


def test_a_run_pushes_a_model_that_answers_for_users_and_movies_it_has_never_seen(workplace, first):
    assert first.code == 0, first.out + first.err
    summary = workplace.summary()
    assert summary["metrics"]["rmse"] <= 1.05 and 0 < summary["metrics"]["mae"] < 1
    assert {"genre=Children", "genre=Drama"} <= set(summary["slices"]) and len(
        summary["slices"]
    ) == 19
    counters = summary["counters"]
    assert counters["rows"] == counters["rows_train"] + counters["rows_eval"]
    assert counters["unmatched"] == 0

    score = tf.saved_model.load(summary["pushed_model"]).signatures["score"]
    stars = score(
        user_id=tf.constant([-1, 10**12], tf.int64),
        item_id=tf.constant([10**12, -7], tf.int64),
        timestamp=tf.constant([0, 2 * 10**9], tf.int64),
        genres=tf.zeros([2, 19], tf.int64),
    )["scores"].numpy()
    assert np.isfinite(stars).all() and (stars >= 0.5).all() and (stars <= 5).all()


@pytest.mark.usefixtures("first")
def test_predict_rates_the_rows_of_a_csv_as_the_served_model_does(workplace, capfd, tmp_path, rest):
    path = tmp_path / "rows.csv"
    path.write_text("timestamp,user_id,item_id\n964982703,1,2\n964982704,987654,987654\n")
    done = workplace.use(capfd, "predict", "movielens", "--input", str(path))
    assert done.code == 0, done.err
    header, *rows = [line.split(",") for line in done.out.splitlines()]
    assert header == ["user_id", "item_id", "timestamp", "rating"]
    assert [row[:3] for row in rows] == [["1", "2", "964982703"], ["987654", "987654", "964982704"]]

    asked = [dict(zip(header[:3], map(int, row[:3]), strict=True)) for row in rows]
    # The second movie is not in the data set: it has no genres, and the first one's are not asked.
    request = {"signature_name": "score", "instances": [{**asked[1], "genres": [0] * 19}]}
    stars = rest(workplace.summary()["pushed_model"], json.dumps(request))["predictions"]
    assert float(rows[1][3]) == pytest.approx(stars[0], abs=1e-5)
    assert 0.5 <= float(rows[0][3]) <= 5


def held_out(folder):
    """The ratings of the split eval, as columns by name."""
    spec = {
        name: tf.io.RaggedFeature(tf.float32 if name == "rating" else tf.int64)
        for name in ("user_id", "item_id", "timestamp", "genres", "rating")
    }
    files = tf.io.gfile.glob(os.path.join(folder, "Split-eval", "*"))
    examples = next(iter(tf.data.TFRecordDataset(files, "GZIP").batch(1 << 20)))
    parsed = tf.io.parse_example(examples, spec)
    return {name: column.flat_values.numpy() for name, column in parsed.items()}


@pytest.mark.usefixtures("first")
def test_metrics_and_slices_equal_a_plain_count_of_what_predict_tells(workplace, capfd, tmp_path):
    summary = workplace.summary()
    columns = held_out(summary["lineage"]["examples"])
    rows = np.stack([columns[name] for name in ("user_id", "item_id", "timestamp")], axis=1)
    path = tmp_path / "held_out.csv"
    path.write_text("".join(f"{user},{item},{time}\n" for user, item, time in rows))
    done = workplace.use(capfd, "predict", "movielens", "--input", str(path))
    assert done.code == 0, done.err
    stars = np.array([line.rpartition(",")[2] for line in done.out.splitlines()[1:]], float)
    errors = stars - columns["rating"]
    genres = columns["genres"].reshape(-1, len(GENRES)) == 1
    parts = {f"genre={genre}": errors[genres[:, at]] for at, genre in enumerate(GENRES)}
    assert summary["slices"].keys() == {name for name, of in parts.items() if len(of)}
    for measured, of in (
        (summary["metrics"], errors),
        *((summary["slices"][name], of) for name, of in parts.items() if len(of)),
    ):
        wanted = {
            "rmse": np.sqrt(np.mean(of**2)),
            "mae": np.abs(of).mean(),
            "example_count": len(of),
        }
        assert measured == pytest.approx(wanted, abs=1e-6)


@pytest.mark.usefixtures("first")
def test_the_report_shows_every_slice(workplace, figures):
    shown = figures(os.path.join(workplace.home, "report.html"))
    summary = workplace.summary()
    assert {float(of["rmse"]) for of in summary["slices"].values()} <= shown


@pytest.mark.slow
@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_reads_well_in_a_browser(width, workplace, browser):
    assert browser(os.path.join(workplace.home, "report.html"), width) == (width, [])
