import pytest

from components.ncf_trainer.tuner import tuner_fn

SEARCHED = {
    "gmf": {
        "learning_rate",
        "recency_half_life",
        "num_neg",
        "num_factors",
        "mf_regularization",
    },
    "sasrec": {"learning_rate", "dropout"},
    "next_item": {"history_half_life", "ridge"},
}


@pytest.mark.parametrize("model_type", SEARCHED)
def test_a_search_needs_the_train_split_alone(model_type, fn_args, tune):
    oracle = tune(tuner_fn, fn_args(train_epochs=1, batch_size=500, model_type=model_type))
    assert (oracle.objective.name, oracle.objective.direction) == ("ndcg_at_10", "max")
    assert [0 <= trial.score <= 1 for trial in oracle.trials.values()] == [True, True]
    searched = next(iter(oracle.trials.values())).hyperparameters.values
    assert set(searched) == SEARCHED[model_type]
