"""The ncf pipeline on catalogues so small that some users leave too few items untouched."""

import os

import numpy as np
import pytest

PIPELINE = "ncf"
QUICK = ["--set", "train_epochs=2", "--set", "min_hit_rate=0.01", "--set", "min_ndcg=0.01"]


def write_ratings(workplace, name, items, counts):
    """Writes a data set in which each user has rated as many items as `counts` says."""
    folder = os.path.join(workplace.data, name)
    os.makedirs(folder)
    rng = np.random.default_rng(0)
    with open(os.path.join(folder, "ratings.csv"), "w", encoding="utf-8") as file:
        file.write("userId,movieId,rating,timestamp\n")
        for user, count in enumerate(counts, 1):
            for when, item in enumerate(rng.permutation(items)[:count]):
                file.write(f"{user},{item + 1},4.0,{10**9 + when}\n")


@pytest.mark.slow
def test_of_eight_items_nobody_can_be_ranked_and_nothing_is_trained(workplace, capfd):
    write_ratings(workplace, "eight", 8, [4] * 50)
    arguments = ("--dataset", "eight", *QUICK, "--set", "min_ratings=2")
    done = workplace.run_here(capfd, *arguments)
    assert done.code == 2, done.out + done.err
    assert "and of 8 each user leaves 4 at most" in done.err
    assert "Trainer" not in workplace.summary()["seconds"] and not workplace.pushed()


@pytest.mark.slow
def test_a_tenth_of_users_with_short_lists_is_warned_of_and_gives_no_hits(workplace, capfd):
    # Of 60 items some users leave 9 untouched, the others 40.
    write_ratings(workplace, "tenth", 60, [51] * 10 + [20] * 90)
    done = workplace.run_here(capfd, "--dataset", "tenth", *QUICK)
    assert done.code == 0, done.out + done.err
    assert "warning: 10 of 100 users do not count" in done.out
    assert "note: 100 of 100 users have fewer than eval_negatives, 40 at most" in done.out
    metrics = workplace.summary()["metrics"]
    assert metrics["short_lists"] == 10 and metrics["example_count"] == 100
    # At random 10 of 41 places are hits; the ten users would have added a tenth.
    assert metrics["hit_rate_at_10"] * 90 == pytest.approx(
        round(metrics["hit_rate_at_10"] * 90), abs=1e-6
    )
    with open(os.path.join(workplace.home, "report.html"), encoding="utf-8") as file:
        assert "10 of 100 users do not count" in file.read()
