from components.ncf_trainer.tuner import tuner_fn


def test_a_search_needs_the_train_split_alone(fn_args, tune):
    oracle = tune(tuner_fn, fn_args(train_epochs=1, batch_size=500, model_type="gmf"))
    assert (oracle.objective.name, oracle.objective.direction) == ("ndcg_at_10", "max")
    assert [0 <= trial.score <= 1 for trial in oracle.trials.values()] == [True, True]
    assert set(next(iter(oracle.trials.values())).hyperparameters.values) == {
        "learning_rate",
        "recency_half_life",
        "num_neg",
        "num_factors",
        "mf_regularization",
    }
