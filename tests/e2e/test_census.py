"""The whole census pipeline on the embedded sample."""

import os

from components.census_gen.sample import write_sample

PIPELINE = "census"
QUICK = ["--set", "train_epochs=4", "--set", "min_accuracy=0.78", "--set", "min_auc=0.8"]


def test_a_run_pushes_a_model_and_reports_the_slices(workplace):
    done = workplace.run(*QUICK)
    assert done.code == 0, done.out + done.err
    summary = workplace.summary()
    assert summary["metrics"]["accuracy"] >= 0.78 and os.path.isdir(summary["pushed_model"])
    assert {"gender=Male", "gender=Female", "race=White"} <= set(summary["slices"])
    assert summary["counters"] == {"rows_train": 4000, "rows_eval": 2000}


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
    assert done.mistake().startswith("error: the data do not fit the schema: ")
    assert "workclass" in done.mistake() and "Martian" in done.mistake()
    assert "Trainer" not in done.out
