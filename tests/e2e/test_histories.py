"""A model that ranks by histories, from the sample to recommendations for anybody."""

import os

import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer.interactions import read_interactions
from pipeline.run.history import latest_pushed

PIPELINE = "ncf"


@pytest.fixture(scope="module", params=["next_item", "best"])
def pushed(request, workplace):
    """A pushed model and the interactions that it was made of."""
    epochs = "1" if request.param == "next_item" else "4"
    done = workplace.run(
        *("--set", f"preset={request.param}", "--set", f"train_epochs={epochs}"),
        *("--set", "min_hit_rate=0.2", "--set", "min_ndcg=0.1", "--set", "max_regression=1"),
    )
    assert done.code == 0, done.out + done.err
    model = latest_pushed(os.path.dirname(workplace.home), PIPELINE)
    return model, read_interactions(model.record["data"]["examples"])


@pytest.mark.slow
def test_recommendations_after_a_history_are_the_best_of_its_scores(pushed, workplace, capfd):
    model, seen = pushed
    # The held-out item is the last one, which the model's own history of the user lacks.
    history = seen.of(seen.users[3]).tolist()
    asked = ",".join(map(str, history))
    done = workplace.use(capfd, "recommend", "--history", asked, "--top", "10")
    assert (done.code, done.err) == (0, "")
    told = [int(line.split()[2]) for line in done.out.splitlines()]

    others = np.setdiff1d(np.unique(seen.items), history)
    score = tf.saved_model.load(model.folder).signatures["score_history"]
    history, others = (tf.constant([ids], tf.int64) for ids in (history, others))
    scores = score(history=history, item_id=others)["scores"][0]
    assert told == others[0].numpy()[np.argsort(-scores, kind="stable")[:10]].tolist()


@pytest.mark.slow
def test_a_users_history_goes_on_and_a_stock_bounds_what_is_recommended(
    pushed, workplace, capfd, tmp_path
):
    _, seen = pushed
    user, new = seen.users[3], np.setdiff1d(seen.items, seen.of(seen.users[3]))[:2].tolist()
    whole = ",".join(map(str, [*seen.of(user).tolist(), *new]))
    since = ",".join(map(str, new))
    stock = tmp_path / "stock.txt"
    stock.write_text("\n".join(map(str, np.unique(seen.items)[::3])))
    told = [
        workplace.use(capfd, "recommend", *who, "--include", str(stock), "--top", "5").out
        for who in (("--history", whole), ("--user", str(user), "--history", since))
    ]
    assert told[0] == told[1] and len(told[0].splitlines()) == 5
    items = [int(line.split()[2]) for line in told[0].splitlines()]
    assert {*items} <= {*np.unique(seen.items)[::3].tolist()}


@pytest.mark.slow
def test_similar_items_are_others_with_cosines(pushed, workplace, capfd):
    item = int(pushed[1].items[0])
    rows = workplace.use(capfd, "recommend", "--item", f"{item}", "--top", "4").out.splitlines()
    scores = [float(row.split()[1]) for row in rows]
    assert len(rows) == 4 and item not in {int(row.split()[2]) for row in rows}
    assert scores == sorted(scores, reverse=True) and scores[0] <= 1
    unknown = workplace.use(capfd, "recommend", "--item", "987654")
    assert unknown.code == 2 and "item 987654: the model was not trained on it" in unknown.mistake()


@pytest.mark.slow
def test_items_that_nobody_had_are_passed_over_with_a_warning(pushed, workplace, capfd):
    item = int(pushed[1].items[0])
    plain = workplace.use(capfd, "recommend", "--history", f"{item}", "--top", "3")
    strange = workplace.use(capfd, "recommend", "--history", f"{item},987654", "--top", "3")
    assert strange.out == plain.out and len(plain.out.splitlines()) == 3
    assert strange.err == "warning: item 987654 was not trained on: passed over\n"


@pytest.mark.slow
def test_a_model_of_embeddings_takes_no_history(workplace, capfd):
    bounds = ("min_hit_rate=0.01", "min_ndcg=0.001", "max_regression=1")
    done = workplace.run("--set", "train_epochs=1", *(f"--set={bound}" for bound in bounds))
    assert done.code == 0, done.out + done.err
    refused = workplace.use(capfd, "recommend", "--history", "1,2")
    assert refused.code == 2
    assert "has no signature 'recommend_history'" in refused.mistake()
