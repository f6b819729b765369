import shutil

import pytest

from components import code
from pipeline import fingerprint
from pipeline.config import preset
from pipeline.pipelines.registry import definition

PIPELINES = ("census", "movielens")


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A copy of our sources, of which the fingerprints are."""
    for package in ("components", "pipeline", "transforms"):
        shutil.copytree(code._ROOT / package, tmp_path / package)
    monkeypatch.setattr(code, "_ROOT", tmp_path)
    return tmp_path


def append(file, text):
    with open(file, "a", encoding="utf-8") as source:
        source.write(f"\n{text}\n")


def fingerprints():
    """All fingerprints by "pipeline.field"."""
    return {
        f"{name}.{field}": value
        for name in PIPELINES
        for field, value in vars(
            fingerprint.code_fingerprints(definition(name), preset(name).schema)
        ).items()
    }


def both(field):
    return {f"{name}.{field}" for name in PIPELINES}


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ("components/wide_deep_trainer/census/fit.py", {"census.trainer"}),
        ("components/wide_deep_trainer/ratings/tuner.py", {"movielens.trainer"}),
        ("components/training/columnar_training.py", both("trainer")),
        ("components/training/executor.py", both("trainer")),
        ("components/tuning/executor.py", both("trainer")),
        (
            "components/wide_deep_trainer/layers/numeric_encoding.py",
            {"census.transform", "census.trainer"},
        ),
        (
            "transforms/vectorize_genres.py",
            {
                *("movielens.example_gen", "movielens.transform", "movielens.trainer"),
                "movielens.evaluator",
            },
        ),
        ("components/wide_deep_trainer/__init__.py", both("transform") | both("trainer")),
        ("components/data_gate/component.py", both("data_gate")),
        ("components/evaluator/executor.py", both("evaluator")),
        ("components/ranking_metrics/rank.py", {*both("evaluator"), "movielens.example_gen"}),
        ("components/census_gen/executor.py", {"census.example_gen"}),
        ("components/wide_deep_trainer/census/schema.pbtxt", {"census.schema"}),
        ("pipeline/datasets/download.py", set()),
    ],
)
def test_a_change_in_code_changes_the_fingerprints_of_what_runs_it(changed, fields, sources):
    before = fingerprints()
    append(sources / changed, "# changed")
    after = fingerprints()
    assert {name for name in before if before[name] != after[name]} == fields


@pytest.mark.parametrize("statement", ["import transforms.late", "from transforms import late"])
def test_a_module_that_a_function_imports_counts(statement, sources):
    late = sources / "transforms" / "late.py"
    append(late, "")
    append(sources / "components/census_gen/executor.py", f"def call():\n    {statement}")
    before = fingerprints()
    append(late, "# changed")
    after = fingerprints()
    assert {name for name in before if before[name] != after[name]} == {"census.example_gen"}
