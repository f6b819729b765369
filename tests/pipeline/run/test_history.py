import json
import math
import os

import pytest

from pipeline.cli.main import main
from pipeline.run.history import keep_run, latest_pushed, past_runs
from transforms.base.errors import UserError


def record(**changes):
    return {
        "pipeline": "ncf",
        "preset": "neumf",
        "started": "2026-01-02T03:04:05+0000",
        "data": {"dataset": "ml-1m", "folder": "data/ml-1m"},
        "reasons": [],
        **changes,
    }


def push(home, version, record=None):
    """Puts a model into the serving folder."""
    folder = os.path.join(home, "serving", version)
    os.makedirs(folder)
    with open(os.path.join(folder, "saved_model.pb"), "wb"):
        pass
    if record:
        with open(os.path.join(folder, "record.json"), "w", encoding="utf-8") as file:
            json.dump(record, file)
    return folder


@pytest.fixture
def home(tmp_path):
    """An output folder with a model pushed, another refused, and a run that failed."""
    home = str(tmp_path / "ncf")
    metrics = {"hit_rate_at_10": 0.7, "ndcg_at_10": math.nan}
    known = {"pipeline": "ncf", "dataset": "ml-1m", "metrics": {"hit_rate_at_10": 0.7}}
    push(home, "97", {**known, "parent": "", "baseline": {}})
    push(home, "98")
    pushed = push(home, "99", {**known, "parent": "98:abc", "baseline": {"hit_rate_at_10": 0.6}})
    keep_run(home, "1", record(outcome="pushed", pushed_model=pushed, metrics=metrics))
    refusal = {"pushed_model": None, "reasons": ["too low", "worse"]}
    keep_run(home, "2", record(outcome="refused_by_model_gate", metrics=metrics, **refusal))
    keep_run(home, "3", record(outcome="fault", reasons=["fault in Trainer: OSError: full"]))
    return home


def test_what_is_no_record_yet_is_none(home):
    with open(os.path.join(home, "runs", "4.json.part"), "w", encoding="utf-8") as file:
        file.write('{"outcome": ')
    assert len(past_runs(home)) == 3


def test_a_record_is_json_whatever_was_measured(home):
    with open(os.path.join(home, "runs", "1.json"), encoding="utf-8") as file:
        text = file.read()
    assert "NaN" not in text and json.loads(text)["metrics"]["ndcg_at_10"] is None
    assert [run["outcome"] for run in past_runs(home)][::2] == ["pushed", "fault"]


def test_the_latest_pushed_model_is_the_newest_whole_one(home, tmp_path):
    os.makedirs(os.path.join(home, "serving", "100"))
    served = latest_pushed(str(tmp_path), "ncf")
    assert served.folder == os.path.join(home, "serving", "99")
    assert served.origin()["dataset"] == "ml-1m"
    with pytest.raises(UserError, match="no model was pushed there; run: python -m pipeline run"):
        latest_pushed(str(tmp_path), "census")


@pytest.mark.usefixtures("home")
def test_list_tells_of_every_run_and_model(tmp_path, capsys):
    assert main(["list", "--output-root", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ncf"
    assert lines[1].split("  ")[1:] == [
        "2026-01-02 03:04:05",
        "ml-1m",
        "neumf",
        "pushed",
        "hit_rate_at_10 0.7000",
        "ndcg_at_10 not a number",
        "model 99",
    ]
    assert lines[2].split("  ")[4:] == [
        "refused by model gate",
        "hit_rate_at_10 0.7000",
        "ndcg_at_10 not a number",
        "too low; worse",
    ]
    assert lines[3].endswith("fault in Trainer: OSError: full")
    assert lines[4].endswith("serving:")
    assert lines[5:] == [
        "    99  ml-1m  hit_rate_at_10 0.7000  ndcg_at_10 not a number  compared with 98  in use",
        "    98  no record",
        "    97  ml-1m  hit_rate_at_10 0.7000  ndcg_at_10 not a number",
    ]


def test_list_names_pipelines_in_their_order_and_where_models_would_be(tmp_path, capsys):
    keep_run(str(tmp_path / "census"), "1", record(outcome="fault", reasons=["full"]))
    keep_run(str(tmp_path / "ncf"), "1", record(outcome="fault", reasons=["full"]))
    assert main(["list", "--output-root", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line for line in lines if not line.startswith(" ")]
    assert sorted(names) == ["census", "ncf"]
    assert [line for line in lines if "models in" in line] == [
        f"  models in {tmp_path / name / 'serving'}: none" for name in names
    ]


def test_list_without_runs_is_a_mistake(tmp_path, capsys):
    assert main(["list", "--output-root", str(tmp_path)]) == 2
    assert "no runs there; start one with" in capsys.readouterr().err
