"""The whole census pipeline on the embedded sample."""

import csv
import json
import os

import pyarrow.parquet as pq
import pytest

from pipeline.datasets.census_sample import write_sample
from tests.e2e.conftest import Workplace

PIPELINE = "census"
HEADER = (
    "age,workclass,fnlwgt,education,education.num,marital.status,occupation,relationship,race,sex,"
    "capital.gain,capital.loss,hours.per.week,native.country,income"
)
QUICK = ["--set", "train_epochs=4", "--set", "min_accuracy=0.78", "--set", "min_auc=0.8"]


@pytest.fixture(scope="module")
def first(workplace):
    """A run on the sample and one malformed row."""
    folder = os.path.join(workplace.data, "mine")
    os.makedirs(folder)
    write_sample(folder)
    with open(os.path.join(folder, "adult.data"), "a", encoding="utf-8") as file:
        file.write("39, State-gov\n")
    return workplace.run("--dataset", "mine", "--set", "max_bad_rows=1", *QUICK)


def test_a_run_pushes_a_model_reports_the_slices_and_sets_bad_rows_aside(workplace, first):
    assert first.code == 0, first.out + first.err
    summary = workplace.summary()
    assert summary["metrics"]["accuracy"] >= 0.78 and os.path.isdir(summary["pushed_model"])
    assert {"gender=Male", "gender=Female", "race=White"} <= set(summary["slices"])
    assert summary["counters"] == {
        "rows": 6001,
        "rows_train": 4000,
        "rows_eval": 2000,
        "rows_left_out": 0,
        "quarantined": 1,
    }
    assert "bad rows set aside: 1, in " in first.out
    with open(summary["quarantine"], encoding="utf-8") as file:
        assert json.load(file)["row"] == "39, State-gov"


@pytest.mark.usefixtures("first")
def test_predict_scores_rows_with_and_without_label_as_the_served_model_does(
    workplace, capfd, tmp_path, rest
):
    with open(os.path.join(workplace.data, "mine", "adult.data"), encoding="utf-8") as file:
        line = file.readline()
    path, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    path.write_text(line + line.rpartition(",")[0] + "\n")
    done = workplace.use(capfd, "predict", "census", "--input", str(path), "--out", str(out))
    assert done.code == 0 and done.out == ""
    with open(out, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == rows[1] and rows[0]["prediction"] in ("<=50K", ">50K")

    named = tmp_path / "named.csv"
    named.write_text(f"zip;{HEADER.replace(',', ';')}\n1;{line.replace(',', ';')}\n   \n")
    parquet = str(tmp_path / "out.parquet")
    done = workplace.use(capfd, "predict", "census", "--input", str(named), "--out", parquet)
    assert done.code == 0 and done.err.splitlines()[-1].endswith("no column zip: passed over")
    (row,) = pq.read_table(parquet).to_pylist()
    assert {name: str(value) for name, value in row.items()} == rows[0]

    person = {
        name: int(text) if text.isdecimal() else text
        for name, text in rows[0].items()
        if name not in ("fnlwgt", "probability", "prediction")
    }
    request = {"signature_name": "score", "instances": [person]}
    served = rest(workplace.summary()["pushed_model"], json.dumps(request))["predictions"]
    assert float(rows[0]["probability"]) == pytest.approx(served[0][0], abs=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_reads_well_in_a_browser(width, workplace, browser):
    assert browser(os.path.join(workplace.home, "report.html"), width) == (width, [])


@pytest.mark.slow
def test_one_file_with_a_header_is_a_data_set_too(tmp_path):
    write_sample(str(tmp_path))
    rows = [
        line
        for name in ("adult.data", "adult.test")
        for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()
        if line.count(",") == 14
    ]
    one_file = Workplace(PIPELINE, tmp_path)
    os.makedirs(one_file.data)
    with open(os.path.join(one_file.data, "adult.csv"), "w", encoding="utf-8") as file:
        file.write("\n".join([HEADER, *rows]))
    done = one_file.run("--dataset", "census", *QUICK)
    assert done.code == 0, done.out + done.err
    counters = one_file.summary()["counters"]
    assert counters["rows"] == 6000 == counters["rows_train"] + counters["rows_eval"]
    assert 1850 < counters["rows_eval"] < 2110
    with open(os.path.join(one_file.summary()["pushed_model"], "record.json")) as file:
        assert json.load(file)["split"] == {"holdout": "test", "eval_percent": 33, "seed": 0}


def test_a_value_that_the_schema_does_not_know_is_refused_before_training(workplace, capfd):
    folder = os.path.join(workplace.data, "changed")
    os.makedirs(folder)
    write_sample(folder)
    for name in ("adult.data", "adult.test"):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text.replace(" Private,", " Martian,"))
    done = workplace.run_here(capfd, "--dataset", "changed", *QUICK)
    assert done.code == 4
    assert done.mistake().startswith("error: the data do not fit the schema; ")
    assert "workclass" in done.mistake() and "Martian" in done.mistake()
    assert "Trainer" not in done.out
    summary = workplace.summary()
    assert summary["outcome"] == "refused_by_data_gate" and summary["pushed_model"] is None
    assert summary["stopped_in"] == "DataGate" and "DataGate" in summary["seconds"]
    assert " | ".join(summary["reasons"]) == done.mistake().removeprefix("error: ")
    with open(os.path.join(workplace.home, "report.html"), encoding="utf-8") as file:
        report = file.read()
    assert report.index("Refused by the data gate") < report.index("Martian") < report.index("<svg")
