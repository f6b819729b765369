import math

import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.evaluator.verdict import judge, list_notes, read_evaluation, verdict_lines
from pipeline.pipelines.census import CensusGate
from pipeline.pipelines.movielens import RatingGate

RATING = RatingGate(max_rmse=0.9, max_regression=0.02).limits()
CENSUS = CensusGate(min_accuracy=0.8, min_auc=0.85, max_regression=0.02).limits()


@pytest.mark.parametrize(
    ("rmse", "before", "reasons"),
    [
        (0.9, None, []),
        (0.8999, 0.88, []),
        (0.8, 0.9, []),
        (0.9001, None, ["rmse 0.9001 is above max_rmse=0.9"]),
        (
            0.89,
            0.86,
            [
                "rmse 0.8900 is more than max_regression=0.02 worse than the 0.8600 of the "
                "model in use"
            ],
        ),
        (
            0.03,
            0.0,
            [
                "rmse 0.0300 is more than max_regression=0.02 worse than the 0.0000 of the "
                "model in use"
            ],
        ),
    ],
)
def test_of_an_error_less_is_better(rmse, before, reasons):
    assert judge(RATING, {"rmse": rmse}, {} if before is None else {"rmse": before}) == reasons


def test_as_much_worse_as_is_allowed_is_allowed():
    # In binary fractions, of which differences are exact.
    gate = RatingGate(max_rmse=0.9, max_regression=0.25).limits()
    assert judge(gate, {"rmse": 0.75}, {"rmse": 0.5}) == []
    assert len(judge(gate, {"rmse": 0.75 + 2**-20}, {"rmse": 0.5})) == 1


def test_of_a_score_more_is_better():
    assert judge(CENSUS, {"accuracy": 0.8, "auc": 0.85}, {"accuracy": 0.81, "auc": 0.8}) == []
    assert judge(CENSUS, {"accuracy": 0.86, "auc": 0.84}, {"accuracy": 0.89, "auc": 0.9}) == [
        "accuracy 0.8600 is more than max_regression=0.02 worse than the 0.8900 of the model in "
        "use",
        "auc 0.8400 is below min_auc=0.85",
    ]


def test_only_a_score_of_nothing_at_all_has_the_hint_at_equal_scores():
    nothing, little = (judge(CENSUS, {"accuracy": 0.8, "auc": x}, {})[0] for x in (0.0, 0.1))
    assert nothing.startswith("auc 0.0000 is below min_auc=0.85; equal scores count against")
    assert little == "auc 0.1000 is below min_auc=0.85"


@pytest.mark.parametrize(("short", "begins"), [(1, "1 of"), (2, "2 of"), (3, "warning: 3 of")])
def test_users_who_do_not_count_are_warned_of_beyond_a_twentieth(short, begins):
    (note,) = list_notes({"short_lists": float(short), "example_count": 40.0})
    assert note.startswith(begins)
    assert list_notes({"short_lists": 0.0, "example_count": 40.0}) == []


@pytest.mark.parametrize(
    ("counts", "cause"),
    [
        ({}, "there is nothing to evaluate on"),
        ({"example_count": 3.0}, "the model gave a score that is not finite"),
        ({"example_count": 1.0, "short_lists": 0.0}, "the model gave a score that is not finite"),
        ({"example_count": 3.0, "short_lists": 2.0}, "the model gave a score that is not finite"),
        ({"example_count": 3.0, "short_lists": 3.0}, "every user's list is too short"),
    ],
)
def test_a_metric_that_is_no_number_comes_with_its_cause(counts, cause):
    (reason,) = judge(RATING, {"rmse": None, **counts}, {"rmse": 0.9})
    assert reason.startswith(f"rmse is not a number: {cause}")


def test_the_lines_have_a_row_for_each_bound_then_notes_then_reasons():
    record = {
        "metrics": {"accuracy": 0.85, "auc": 0.85},
        "notes": ["a note"],
        "reasons": ["a reason"],
    }
    gate = CensusGate(min_accuracy=0.86, min_auc=0.85, max_regression=0.02)
    assert verdict_lines(record, gate.limits().bounds) == [
        "  accuracy         0.8500  >= 0.86 (min_accuracy)  missed",
        "  auc              0.8500  >= 0.85 (min_auc)  kept",
        "a note",
        "refused: a reason",
    ]


def test_a_metric_that_is_no_number_or_absent_misses_its_bound_in_the_lines_too():
    record = {"metrics": {"rmse": None}, "notes": [], "reasons": []}
    assert verdict_lines(record, RATING.bounds) == [
        "  rmse             not a number  <= 0.9 (max_rmse)  missed"
    ]
    assert verdict_lines({**record, "metrics": {}}, RATING.bounds)[0].endswith("missed")


def test_users_are_counted_as_none_where_nothing_is_measured():
    assert list_notes({}) == list_notes({"short_lists": None, "example_count": None}) == []
    (note,) = list_notes({"short_lists": 1.0})
    assert note.startswith("warning: 1 of 0 users do not count: ")


def _result(rmse, gender=None, model="", is_diff=False, name="rmse"):
    """A metric of one slice as TFMA writes it."""
    result = metrics_for_slice_pb2.MetricsForSlice()
    if gender is not None:
        result.slice_key.single_slice_keys.add(column="gender", bytes_value=gender.encode())
    entry = result.metric_keys_and_values.add()
    entry.key.name, entry.key.model_name, entry.key.is_diff = name, model, is_diff
    entry.value.double_value.value = rmse
    return result


def test_an_evaluation_is_read_by_slice_and_its_baseline_over_all_alone(monkeypatch):
    results = [
        _result(0.8),
        _result(0.7, model=tfma.BASELINE_KEY),
        _result(0.1, is_diff=True),
        _result(0.5, gender="Female"),
        _result(math.inf, gender="Male"),
        # What a metric of lists tells of a slice.
        _result(0.4, name="rmse@genre=War"),
        _result(0.3, name="rmse@genre=War", model=tfma.BASELINE_KEY),
        _result(0.6, gender="Female", model=tfma.BASELINE_KEY),
    ]
    monkeypatch.setattr(tfma, "load_metrics", lambda uri: results)
    measured = read_evaluation("somewhere")
    assert measured.overall == {"rmse": 0.8} and measured.baseline == {"rmse": 0.7}
    assert measured.slices == {
        "gender=Female": {"rmse": 0.5},
        "gender=Male": {"rmse": None},
        "genre=War": {"rmse": 0.4},
    }
