import html.parser
import json
import os
import re

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from pipeline.run.history import keep_run
from pipeline.run.report.distributions import feature_distributions
from pipeline.run.report.page import write_report

VOID = {"meta", "link", "br"}
EVIL = "genre=<script>alert(1)</script> & $x^2$"


class Page(html.parser.HTMLParser):
    """A page's figures by section and its references; fails where tags are not balanced."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.references, self.tags = [], [], [], set()
        self.figures = {}
        self.section = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        values = dict(attributes)
        self.tags.add(tag)
        if tag == "section":
            self.section = values["id"]
        if tag == "data":
            self.figures.setdefault(self.section, set()).add(float(values["value"]))
        self.ids += [values["id"]] if "id" in values else []
        self.references += [values[key] for key in ("href", "src", "xlink:href") if key in values]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def statistics(tmp_path):
    """StatisticsGen's and ExampleValidator's artifacts of a data set with three features."""
    for split, top in (("train", 10.0), ("eval", 20.0)):
        message = statistics_pb2.DatasetFeatureStatisticsList()
        features = message.datasets.add(num_examples=100).features
        for name in ("user_id", "age"):
            number = features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
            number.path.step.append(name)
            number.num_stats.common_stats.max_num_values = 1
            number.num_stats.max = top
            histogram = number.num_stats.histograms.add()
            for low in (0, top / 2):
                histogram.buckets.add(low_value=low, high_value=low + top / 2, sample_count=50)
        text = features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
        text.path.step.append("job")
        text.string_stats.common_stats.max_num_values = 1
        text.string_stats.common_stats.num_non_missing = 100
        for rank, label in enumerate(["a", "b", *"cdefghijklm"] if split == "train" else "b"):
            text.string_stats.rank_histogram.buckets.add(
                low_rank=rank, high_rank=rank, label=label, sample_count=7
            )
        for kind, name, proto in (
            ("statistics", "FeatureStats.pb", message),
            ("anomalies", "SchemaDiff.pb", anomalies_pb2.Anomalies()),
        ):
            folder = tmp_path / kind / f"Split-{split}"
            folder.mkdir(parents=True)
            (folder / name).write_bytes(proto.SerializeToString())
    return tmp_path


@pytest.fixture
def summary(statistics):
    return {
        "pipeline": "movielens",
        "preset": "best",
        "started": "2026-01-02T03:04:05+0000",
        "outcome": "refused_by_model_gate",
        "data": {"dataset": "mine", "folder": "/data/<mine>"},
        "log": "/logs/1.log",
        "metrics": {"rmse": 0.912345678, "mae": None, "example_count": 1000.0},
        "slices": {EVIL: {"rmse": 0.95, "mae": 0.7, "example_count": 250.0}},
        "baseline": {"rmse": 0.9, "mae": 0.71, "example_count": 1000.0},
        "bounds": {"max_rmse": 0.9},
        "blessed": False,
        "notes": ["a <note>"],
        "reasons": ["rmse 0.9123 is above max_rmse=0.9 & <more>"],
        "pushed_model": None,
        "seconds": {"Trainer": 12.345, "Evaluator": 0.5},
        "cached": ["Evaluator"],
        "examples_per_second": 123456.789,
        "epochs": [{"epoch": 1, "loss": 0.81}, {"epoch": 2, "loss": 0.7654321, "rmse": 0.93}],
        "counters": {"rows": 1234567},
        "read_as": ["a <file>.csv: commas between fields"],
        "quarantine": None,
        "settings": {"data": {"seed": 3}, "trainer": {}, "gate": {"max_regression": 0.005}},
        "lineage": {
            "examples": "",
            "statistics": str(statistics / "statistics"),
            "anomalies": str(statistics / "anomalies"),
            "model": "/models/2",
            "baseline_model": "/models/1",
            "data_fingerprint": "total_bytes:1",
            "code": {"trainer": "abc"},
        },
        "versions": {"python": "3.10"},
    }


@pytest.fixture
def draw_file(tmp_path):
    """Returns a function that writes a summary and its report, and returns the report's text."""

    def drawn(summary):
        (tmp_path / "summary.json").write_text(json.dumps(summary))
        write_report(str(tmp_path / "summary.json"), str(tmp_path / "report.html"))
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return drawn


@pytest.fixture
def draw(summary, draw_file):
    """Returns a function that draws the report of the summary with changes."""
    return lambda **changes: draw_file({**summary, **changes})


def numbers(value):
    """All numbers in a piece of JSON."""
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return {number for part in parts for number in numbers(part)}
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {float(value)} if is_number else set()


def test_the_page_is_whole_by_itself_and_has_every_figure_of_the_summary(draw, summary, tmp_path):
    page = Page(draw())
    assert "script" not in page.tags
    assert not [r for r in page.references if not r.startswith("#") and r != "data:,"]
    assert len(page.ids) == len(set(page.ids))
    assert {r[1:] for r in page.references if r.startswith("#")} <= set(page.ids)
    shown = set().union(*page.figures.values())
    keys = ("metrics", "slices", "baseline", "bounds", "seconds", "epochs", "counters", "settings")
    wanted = numbers({key: summary[key] for key in keys}) | {summary["examples_per_second"]}
    assert wanted - {summary["baseline"]["example_count"]} <= shown
    assert shown <= wanted | {float(len(summary["epochs"]))}
    assert sorted(os.listdir(tmp_path)) == [
        "anomalies",
        "report.html",
        "statistics",
        "summary.json",
    ]


def test_texts_from_data_and_settings_are_texts(draw):
    text = draw()
    assert "<script" not in text and "alert(1)" in text and "$x^2$" in text
    assert "<li>a &lt;file&gt;.csv: commas" in text
    assert "max_rmse=0.9 &amp; &lt;more&gt;" in text and "/data/&lt;mine&gt;" in text


def test_the_verdict_comes_first(draw):
    refused = draw()
    assert refused.index("Refused by the model gate") < refused.index("<table")
    assert "≤&nbsp;" in refused and "not kept" in refused
    pushed = draw(
        outcome="pushed",
        pushed_model="/serving/1",
        reasons=[],
        metrics={"rmse": 0.8, "example_count": 1},
    )
    assert "Blessed and pushed" in pushed and "not kept" not in pushed


@pytest.fixture
def stopped(summary):
    """The summary of a run that the data gate stopped."""
    early = ("pipeline", "preset", "started", "data", "log", "counters", "quarantine", "settings")
    lineage = ("statistics", "anomalies", "data_fingerprint", "code")
    return {
        **{key: summary[key] for key in (*early, "versions", "cached")},
        "outcome": "refused_by_data_gate",
        "reasons": ["the data differ too much", "train: age: <divergence>"],
        "stopped_in": "DataGate",
        "pushed_model": None,
        "seconds": {"StatisticsGen": 4.5, "DataGate": 0.25},
        "lineage": {key: summary["lineage"][key] for key in lineage},
    }


def test_a_run_that_was_stopped_tells_why_and_shows_what_there_is(stopped, draw_file, statistics):
    message = anomalies_pb2.Anomalies()
    message.anomaly_info["age"].description = "too <old>"
    (statistics / "anomalies" / "Split-eval" / "SchemaDiff.pb").write_bytes(
        message.SerializeToString()
    )
    text = draw_file(stopped)
    page = Page(text)
    assert {"data", "time", "lineage"} == {i for i in page.ids if i.isalpha()}
    assert text.index("Refused by the data gate") < text.index("age: &lt;divergence&gt;")
    assert text.index("age: &lt;divergence&gt;") < text.index("too &lt;old&gt;")
    assert "DataGate (stopped)" in text and "/logs/1.log" in text
    assert {4.5, 0.25} == page.figures["time"] and 1234567.0 in page.figures["data"]


def test_a_run_that_made_nothing_tells_why(stopped, draw_file):
    del stopped["counters"]
    text = draw_file({**stopped, "outcome": "fault", "lineage": {"code": {}}})
    assert {"time", "lineage"} == {i for i in Page(text).ids if i.isalpha()}
    assert "Stopped by a fault" in text


def test_a_first_run_has_nothing_to_compare_with(draw):
    assert "no model to compare with" in draw(baseline={}, slices={})


def test_the_run_that_pushed_the_model_in_use_is_named(draw, tmp_path):
    runs = {"1": "/models/0", "2": "/models/1", "3": None}
    for name, pushed in runs.items():
        run = {"started": f"2026-01-0{name}T11:12:13+0000", "preset": f"preset-{name}"}
        data = {"data": {"dataset": "another"}}
        keep_run(str(tmp_path), name, {**run, **data, "pushed_model": pushed})
    text = draw()
    assert "of the run of 2026-01-02 11:12, preset preset-2" in text
    assert text.count("of the run of") == 1


@pytest.mark.parametrize("baseline", ["/models/1", ""])
def test_a_run_that_is_not_kept_or_that_pushed_nothing_is_not_named(
    baseline, draw, summary, tmp_path
):
    keep_run(str(tmp_path), "1", {"pushed_model": None})
    keep_run(str(tmp_path), "2", {"pushed_model": ""})
    text = draw(lineage={**summary["lineage"], "baseline_model": baseline})
    assert "of the run of" not in text and ("no model\n" in text) == (not baseline)


def test_slices_stand_by_feature_and_those_of_most_examples_first(draw):
    counts = {"b=1": 10.0, "a=1": 5.0, "a=2": 7.0, "b=2": 20.0, "a=3": None}
    text = draw(slices={name: {"example_count": counts[name]} for name in counts})
    rows = [name for name in re.findall(r'<th scope="row">(.*?)</th>', text) if name in counts]
    assert rows == ["a=2", "a=1", "a=3", "b=2", "b=1"]


def test_a_tuned_run_shows_its_trials(draw):
    trials = [
        {"trial": 1, "score": 0.9512, "settings": {"learning_rate": 0.005, "num_factors": 16}},
        {"trial": 2, "score": 0.9417, "settings": {"learning_rate": 0.0021, "num_factors": 32}},
    ]
    chosen = trials[1]["settings"]
    text = draw(tuning={"metric": "rmse", "trials": trials, "best_trial": 2, "chosen": chosen})
    assert numbers(trials) == Page(text).figures["tuning"]


def test_a_report_that_cannot_be_drawn_leaves_none(draw, tmp_path, summary):
    with pytest.raises(FileNotFoundError):
        draw(lineage={**summary["lineage"], "anomalies": "/missing"})
    assert not (tmp_path / "report.html").exists()


def test_distributions_have_the_ranges_and_values_of_the_train_split(statistics):
    age, job = feature_distributions(str(statistics / "statistics"), "job")
    assert age.labels == ["0 to 5", "5 to 10"]
    np.testing.assert_allclose(age.shares["train"], [0.5, 0.5])
    # Half of the eval split is above the last range, and counted in it.
    np.testing.assert_allclose(age.shares["eval"], [0.25, 0.75])
    assert job.labels == [*"abcdefghij", "all others"]
    np.testing.assert_allclose(job.shares["train"], [0.07] * 10 + [0.3])
    np.testing.assert_allclose(job.shares["eval"], [0, 0.07] + [0] * 8 + [0.93])
