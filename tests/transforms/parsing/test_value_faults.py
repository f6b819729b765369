import pytest

from tests.transforms.tables import read_table
from transforms.base.errors import UserError
from transforms.parsing.value_faults import cause_of


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("", "a missing value", "fill it in"),
        (r"\N", "a missing value", "fill it in"),
        ("null", "a missing value", "fill it in"),
        ("NaN", "a missing value", "fill it in"),
        ("1.5001E+09", "a number that a spreadsheet shortened", "with all of its digits"),
        ("1,5E+9", "a number that a spreadsheet shortened", "with all of its digits"),
        ("1.0", "written with a decimal point", "write 1 for 1.0, in all rows"),
        ("-12.00", "written with a decimal point", "write -12 for -12.00"),
        ("3,5", "written with a decimal comma", "write 3.5 for it"),
    ],
)
def test_what_looks_like_something_else_is_called_so(text, what, remedy):
    cause = cause_of(text)
    assert cause.what == what and remedy in cause.remedy


@pytest.mark.parametrize("text", ["x", "1.5", "12-07-03", "2017-07", "1e", "1,", "nullable"])
def test_anything_else_has_no_cause(text):
    assert cause_of(text) is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1.0,8,3,9", "user '1.0' is not an integer (written with a decimal point); write 1 for"),
        (r"7,8,3,\N", r"time '\\N' is not a time (a missing value); fill it in"),
        (
            "7,8,3,2017-07-03 10:40:00",
            "time '2017-07-03 10:40:00' is in dates without a zone, taken as UTC, and the file's",
        ),
        ("7,8,17,9", "rating '17' is not from 0.5 to 5; bring all ratings to that scale (of up to"),
        ("  ", "'  ' is a blank line that is not empty; mend the row or remove it"),
        ("ana,8,3,9", "user 'ana' is not an integer (text is for string_ids=true); mend"),
        ("7,8,3,x", "time 'x' is not a time; mend the row or remove it"),
    ],
)
def test_a_row_is_refused_with_the_cause_and_what_to_do(row, message, tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(f"user,item,rating,time\n7,8,3,9\n{row}\n")
    with pytest.raises(UserError) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}:3: {message}")
