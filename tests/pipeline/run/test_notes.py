import pytest

from pipeline.run.notes import data_notes

ALL = 138_493


@pytest.mark.parametrize(
    ("counters", "told"),
    [
        ({"repeats": 20_000_262}, "20000262 of 20000263 rows repeat a user and item"),
        ({"untitled_items": 5}, "5 of 26744 items are not in the movies file"),
        ({"tied_users": ALL}, "138493 of 138493 held-out items share a time with others: ids dec"),
        (
            {"timeless_users": 9},
            "9 of 138493 users have one time for all items: a hash orders them",
        ),
        (
            {"fewer_negatives": ALL, "most_negatives": 99},
            "138493 of 138493 users have fewer than eval_negatives, 99 at most",
        ),
        (
            {"fewer_negatives": 5, "most_negatives": 100},
            "5 of 138493 users have fewer than eval_negatives",
        ),
        (
            {"full_ranked_users": 9_986},
            "full_users drew 9986 of 138493 users to rank among all items",
        ),
    ],
)
def test_what_the_data_make_of_the_results_is_a_line_each(counters, told):
    every = {"rows": 20_000_263, "users": ALL, "evaluated_users": ALL, "items": 26_744}
    (line,) = data_notes(every | counters)
    assert line.startswith(f"note: {told}") and len(line) <= 80
    assert ("at most" in line) == ("at most" in told)
    assert data_notes(every | dict.fromkeys(counters, 0)) == []


def test_times_in_another_unit_than_seconds_are_told_once_for_all_files():
    files = [f"{name}: CSV; times in milliseconds" for name in "ab"]
    assert data_notes({}, files) == ["note: the data have times in milliseconds"]
    assert data_notes({}, ["a: CSV; times in seconds"]) == []


def test_data_of_which_nothing_is_counted_have_no_notes():
    assert data_notes({}) == []
