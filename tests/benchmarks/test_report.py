import dataclasses

import pytest

from benchmarks.cli import main
from benchmarks.report import as_results, insert_table, make_rows, render, render_models
from benchmarks.tasks import SECTIONS, SIZES, Data, Task, tasks_of
from benchmarks.timing import Timing
from transforms.base.errors import UserError

OURS = Task("rows to Examples", "rows", "m:f", {}, against="2018: rows to Examples")
THEIRS = Task("2018: rows to Examples", "rows", "m:f", {}, part_names={"read": "2018: read"})


@pytest.fixture
def results():
    ours = make_rows("examples", "1M", OURS, Timing([2.0, 1.0, 4.0], 1000), 512.4)
    theirs = make_rows("row_wise", "1M", THEIRS, Timing([3.0], 100, 0.1, {"read": 1.0}), 700.0)
    return as_results([*ours, *theirs], {"cpu": "x", "before": {"python_seconds": 0.5}})


def test_a_row_has_median_spread_rate_memory_and_ratio(results):
    lines = render(results).splitlines()
    assert lines[0] == "Machine: cpu x, before (python_seconds 0.5)."
    assert "| rows to Examples | 1M | 2 | 1 to 4 | 500 rows | 512 | 15 |" in lines


def test_of_work_done_in_part_the_whole_is_reported_and_the_share(results):
    lines = render(results).splitlines()
    assert "| 2018: rows to Examples (10% measured) | 1M | 30 |  | 33 rows | 700 |  |" in lines
    assert "| 2018: read (10% measured) | 1M | 10 |  |  |  |  |" in lines


def test_the_table_replaces_the_last_one_and_nothing_else(results):
    marks = [f"<!-- make bench: speed: {side} -->" for side in ("begin", "end")]
    text = "a\n{}\nold\n{}\nb\n".format(*marks)
    once = insert_table(text, render(results), "speed", "README.md")
    assert "old" not in once
    assert once.startswith("a\n") and once.endswith("\nb\n")
    assert insert_table(once, render(results), "speed", "README.md") == once


def test_a_text_without_the_marks_is_a_mistake():
    with pytest.raises(UserError, match=r"README\.md"):
        insert_table("nothing", "table", "speed", "README.md")


def test_models_stand_in_a_table_of_their_own(results):
    task, figures = Task("preset best", "users", "m:f", {}), {"hit_rate_at_10": 0.5, "diversity": 1}
    rows = make_rows("models", "ml-1m", task, Timing([7.0], 600, figures=figures), 100.0)
    models = as_results(rows, {})
    assert render_models(models, "models").splitlines()[-1] == "| preset best | 0.5000 | 1.0000 |"
    assert "preset best" not in render(models)
    assert render_models(results, "models") == render_models(models, "rating_models") == ""


def test_only_what_people_made_tells_how_well_models_do():
    assert not tasks_of("models", "ml-1m", Data("folder", "histories"))
    tasks = tasks_of("models", "ml-1m", Data("folder", "histories", real=True))
    assert {task.what for task in tasks} == {
        *("popularity", "EASE", "preset neumf", "preset gmf", "preset next_item", "preset best")
    }
    assert all(task.arguments["folder"] == "folder" for task in tasks)
    small = Data("folder", "histories", real=True)
    assert len(tasks_of("rating_models", "ml-latest-small", small)) == 5
    assert not tasks_of("rating_models", "ml-latest-small", Data("folder", "histories"))
    assert not tasks_of("models", "ml-latest-small", small)


def test_whatever_is_compared_with_2018_is_measured_the_2018_way_too():
    data = Data("folder", "histories")
    for size in SIZES:
        tasks = [task for section in SECTIONS for task in tasks_of(section, size, data)]
        names = {name for t in tasks for name in (t.what, *t.part_names.values())}
        if size == "ml-1m":
            assert {task.against for task in tasks if task.against} <= names
        assert all(dataclasses.asdict(task)["arguments"] for task in tasks)


def test_an_unknown_section_is_a_mistake_told_in_one_line(capsys, tmp_path):
    assert main(["--only", "trainnig", "--cache", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "error: --only='trainnig': must be one of examples, training, pipeline, ranking, models, "
        "rating_models, row_wise; did you mean training?\n"
    )
