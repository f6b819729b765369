import pytest

from components.ncf_trainer import interactions
from pipeline.pipelines.registry import definition
from pipeline.run.report import measured, page
from pipeline.run.report.distributions import Distribution


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """What is drawn, by the names of the charts."""
    calls = {}

    def record(name, *given):
        assert name not in calls
        calls[name] = given
        return name

    for kind in ("bars", "dots", "lines"):
        monkeypatch.setattr(page, kind, record)
    return calls


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "none"),
        ("text", "text"),
        (True, "True"),
        (3, "3"),
        (1234567, "1,234,567"),
        (0.912345678, "0.9123"),
        (9.0, "9.0000"),
        (10.0, "10"),
        (-10.0, "-10"),
        (999.96, "999.9600"),
        (1000.4, "1,000"),
        (-1000.4, "-1,000"),
    ],
)
def test_a_figure_is_rounded_for_people_and_exact_for_machines(value, shown):
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    exact = f'<data value="{value!r}">{shown}</data>' if is_number else shown
    assert str(page._figure(value)) == exact


TITLES = {"loss": "Loss", "rmse": "RMSE", "mae": "MAE"}


def summary(**changes):
    return {
        "pipeline": "movielens",
        "metrics": {"rmse": 0.92, "mae": None, "example_count": 40.0},
        "bounds": {"max_rmse": 0.9},
        "baseline": {"rmse": 0.95, "example_count": 40.0},
        **changes,
    }


def test_a_metric_stands_beside_its_bound_and_the_model_in_use():
    rmse, mae = measured.metric_rows(summary(), TITLES)
    assert rmse == ("RMSE", 0.92, "≤", 0.9, False, 0.95)
    assert rmse.change == pytest.approx(-0.03)
    assert mae == ("MAE", None, "", None, True, None) and mae.change is None
    (kept, _) = measured.metric_rows(summary(bounds={"max_rmse": 0.92}, baseline={}), TITLES)
    assert kept == ("RMSE", 0.92, "≤", 0.92, True, None) and kept.change is None
    assert measured.metric_rows({"pipeline": "movielens"}, TITLES) == []


def test_a_bound_from_below_that_is_off_is_none():
    metrics = {"hit_rate_at_10": 0.7, "full_hit_rate": 0.1}
    summary = {
        "pipeline": "ncf",
        "metrics": metrics,
        "bounds": {"min_hit_rate": 0.6, "min_full_hit_rate": 0.0},
        "baseline": {},
    }
    first, off = measured.metric_rows(summary, {name: name for name in metrics})
    assert (first.sign, first.limit, first.kept) == ("≥", 0.6, True)
    assert (off.sign, off.kept) == ("", True)


def test_a_metric_is_drawn_against_its_bound_with_what_is_known_of_it(drawn):
    rows = [
        page.MetricRow("RMSE", 0.92, "≤", 0.9, False, 0.95),
        page.MetricRow("MAE", 0.7, "", None, True, 0.8),
        page.MetricRow("NDCG", None, "≥", 0.2, False, 0.3),
        page.MetricRow("HR", None, "≥", 0.2, False, None),
    ]
    rmse, ndcg = page._metric_charts(rows)
    assert rmse == (
        "RMSE against its bound",
        "metric0",
        ("", "RMSE"),
        [("this run", 0.92), ("model in use", 0.95), ("bound", 0.9)],
    )
    assert ndcg.rows == [("model in use", 0.3), ("bound", 0.2)]
    assert drawn == {
        "metric0": (["this run", "model in use"], [0.92, 0.95], {"bound": 0.9}),
        "metric2": (["model in use"], [0.3], {"bound": 0.2}),
    }


SLICES = {
    "genre=War": {"rmse": 0.9, "mae": 0.7, "example_count": 10.0},
    "genre=Drama": {"rmse": 0.8, "mae": None, "example_count": 30.0},
    "year=1999": {"rmse": None, "example_count": 5.0},
}


def test_each_metric_is_drawn_by_the_slices_that_have_it(drawn):
    charts = page._slice_charts(summary(slices=SLICES), TITLES)
    assert [(chart.title, chart.columns) for chart in charts] == [
        ("RMSE by slice", ("Slice", "RMSE")),
        ("MAE by slice", ("Slice", "MAE")),
    ]
    assert charts[0].rows == [("genre=Drama", 0.8), ("genre=War", 0.9)]
    assert charts[1].rows == [("genre=War", 0.7)]
    assert drawn == {
        "slice0": (("genre=Drama", "genre=War"), (0.8, 0.9), {"all examples": 0.92}),
        # Of all examples it was not finite.
        "slice1": (("genre=War",), (0.7,), {}),
    }
    assert page._slice_charts(summary(), TITLES) == []


def test_training_is_drawn_by_the_epochs_in_which_it_was_evaluated(drawn):
    epochs = [{"epoch": 1, "loss": 0.9}, {"epoch": 2, "loss": 0.8, "rmse": 0.95}]
    loss, rmse = page._training_charts({"epochs": epochs}, TITLES)
    assert loss == ("Loss by epoch", "training0", ("Epoch", "Loss"), [(1, 0.9), (2, 0.8)])
    assert rmse == ("RMSE by epoch", "training1", ("Epoch", "RMSE"), [(2, 0.95)])
    assert drawn == {
        "training0": ((1, 2), (0.9, 0.8), "epoch"),
        "training1": ((2,), (0.95,), "epoch"),
    }
    assert page._training_charts({}, TITLES) == []


def test_shares_are_told_in_percent(drawn):
    both = Distribution("hours_per_week", ["a", "b"], {"train": [0.25, 0.75], "eval": [0.5, 0.5]})
    chart = page._share_chart("data0", both)
    assert chart == (
        "Hours per week",
        "data0",
        ("", "train", "eval"),
        [("a", "25.0 %", "50.0 %"), ("b", "75.0 %", "50.0 %")],
    )
    page._share_chart("data1", Distribution("x", ["a"], {"users": [1.0]}))
    assert drawn == {
        "data0": (["a", "b"], {"train": [25, 75], "eval": [50, 50]}, "%"),
        "data1": (["a"], {"users": [100]}, "% of users"),
    }


def test_times_are_told_in_the_order_of_the_components_with_how_they_ended(drawn):
    seconds = {"Trainer": 12.5, "Evaluator": 0.5, "Pusher": 1.0}
    ran = {"seconds": seconds, "cached": ["Evaluator"], "stopped_in": "Pusher"}
    chart = page._time_chart(ran)
    labels = ("Trainer", "Evaluator (cached)", "Pusher (stopped)")
    assert chart.rows == [*zip(labels, seconds.values(), strict=True)]
    assert chart.columns == ("Component", "Seconds")
    assert drawn == {"time": (labels, {"seconds": (12.5, 0.5, 1.0)}, "seconds")}
    drawn.clear()
    del ran["stopped_in"]
    assert page._time_chart(ran).rows[2] == ("Pusher", 1.0)


def test_trials_are_a_row_each():
    trials = [{"trial": 1, "score": 0.9, "settings": {"ridge": 2.0, "dropout": 0.1}}]
    assert page._tuning_rows({"tuning": {"trials": trials}}) == [(1, 0.9, 2.0, 0.1)]
    assert page._tuning_rows({}) == []


def test_what_is_made_for_slices_is_shown_by_its_shares(drawn):
    pipeline = definition("movielens")
    measured = summary(slices={**SLICES, "genre2=War": {"example_count": 7.0}}, lineage={})
    (chart,) = page._data_charts(measured, pipeline)
    assert chart.title.startswith("Genre (a movie")
    assert chart.columns == ("", "eval")
    assert chart.rows == [("Drama", "75.0 %"), ("War", "25.0 %")]
    assert drawn["data0"][2] == "% of eval"
    assert page._data_charts(summary(slices={}, lineage={}), pipeline) == []
    # What Examples have themselves is in the statistics.
    census = {"gender=Male": {"example_count": 20.0}}
    assert page._data_charts(summary(slices=census, lineage={}), definition("census")) == []


def test_interactions_are_shown_where_examples_are_users(drawn, monkeypatch):
    read = []
    monkeypatch.setattr(interactions, "read_interactions", read.append)
    shown = [Distribution("activity", ["1"], {"users": [1.0]})] * 2
    monkeypatch.setattr(page, "interaction_distributions", lambda read: shown)
    charts = page._data_charts({"lineage": {"examples": "/e"}}, definition("ncf"))
    assert read == ["/e"] and len(charts) == len(drawn) == 2
    assert page._data_charts({"lineage": {}}, definition("ncf")) == []


def test_titles_tell_the_settings_of_the_run_or_else_of_the_preset():
    pipeline = definition("ncf")
    own = measured.metric_titles({"pipeline": "ncf", "settings": {"gate": {"full_k": 7}}}, pipeline)
    assert own["full_hit_rate"] == "HR@7 of all items"
    assert measured.metric_titles({"pipeline": "ncf"}, pipeline)["coverage"].startswith(
        "Coverage@1"
    )


def test_pushed_models_of_the_data_set_are_drawn_one_after_the_other(drawn):
    def run(model, hit_rate, dataset="mine", **more):
        metrics = {"hit_rate_at_10": hit_rate, "ndcg_at_10": None, **more}
        return {"pushed_model": model, "metrics": metrics, "data": {"dataset": dataset}}

    runs = [
        run("serving/7", 0.5, ndcg_at_10=0.3),
        {"pushed_model": None, "metrics": {}, "data": {"dataset": "mine"}},
        run("serving/8", 0.4, dataset="other"),
        {"outcome": "fault", "data": {"dataset": "mine"}},
        run("serving/9", 0.6),
        # The same model once more.
        run("serving/9", 0.7),
    ]
    titles = {"hit_rate_at_10": "HR", "ndcg_at_10": "NDCG"}
    told = {"pipeline": "ncf", "data": {"dataset": "mine"}}
    (chart,) = page._trend_charts(told, runs, titles)
    assert chart.title == "HR by model" and chart.rows == [("7", 0.5), ("9", 0.7)]
    assert [list(x) for x in drawn["trend0"][:2]] == [[1, 2], [0.5, 0.7]]
    told["data"]["dataset"] = "other"
    assert page._trend_charts(told, runs, titles) == []
