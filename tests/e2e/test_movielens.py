"""The whole movielens pipeline on the embedded sample."""

import numpy as np
import tensorflow as tf

PIPELINE = "movielens"
QUICK = ["--set", "train_epochs=4", "--set", "max_rmse=1.05"]


def test_a_run_pushes_a_model_that_answers_for_users_and_movies_it_has_never_seen(workplace, capfd):
    done = workplace.run(*QUICK)
    assert done.code == 0, done.out + done.err
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
