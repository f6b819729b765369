import pytest

from tests.transforms.tables import read_table, table_of
from transforms.base.errors import UserError
from transforms.parsing.rating_rules import STARS
from transforms.parsing.time_units import find_unit, time_fault, unit_of

SECOND = 978300760  # 2000-12-31 22:12:40 UTC


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0", "seconds"),
        (f"{SECOND}", "seconds"),
        (f"{2**32 - 1}", "seconds"),
        (f"{2**32}", "milliseconds"),
        (f"{SECOND}000", "milliseconds"),
        (f"{2**32}000", "microseconds"),
        (f"{SECOND}000000", "microseconds"),
        (f"{SECOND}000000000", "nanoseconds"),
        (f"{SECOND}.0", "seconds with decimals"),
        ("2000-12-31", "dates without a zone, taken as UTC"),
        ("2000-12-31 22:12:40", "dates without a zone, taken as UTC"),
        ("2000-12-31T22:12:40.123456Z", "dates with a zone"),
        ("2000-12-31 23:12+01:00", "dates with a zone"),
    ],
)
def test_the_unit_is_found_from_a_value(text, name):
    assert unit_of(text).name == name
    assert find_unit(["", "x", text, "0"]).name == name


@pytest.mark.parametrize("text", ["", "x", "-1", f"{2**32}000000000", "42919.44", "31.12.2000"])
def test_what_is_no_time_has_no_unit(text):
    assert unit_of(text) is None
    assert find_unit([text]).name == "seconds"


@pytest.mark.parametrize(
    ("text", "first", "fault"),
    [
        (f"{SECOND}", f"{SECOND}000", "in seconds, and the file's first is in milliseconds"),
        (f"{SECOND}000", f"{SECOND}", "in milliseconds, and the file's first is in seconds"),
        ("2001-01-01", "0", "in dates without a zone, taken as UTC, and the file's first is in"),
        ("2001-01-01", "2001-01-01T00:00Z", "in dates without a zone, taken as UTC, and the"),
        ("-1", "0", "negative"),
        (f"{2**32}000000000", "0", "after the year 2106"),
        ("42919.44", "0", "not a time (a day as a spreadsheet counts them)"),
        ("9.5", "0", "not a time"),
        (f"{SECOND}", f"{SECOND}.5", ""),
        ("5", "0", ""),
    ],
)
def test_a_time_of_another_unit_is_called_so(text, first, fault):
    found = time_fault(text, unit_of(first))
    assert found.startswith(fault) and bool(found) == bool(fault)


@pytest.mark.parametrize(
    "times",
    [
        [f"{SECOND}000", f"{SECOND + 1}500"],
        [f"{SECOND}000000", f"{SECOND + 1}500000"],
        [f"{SECOND}000000000", f"{SECOND + 1}500000000"],
        [f"{SECOND}.0", f"{SECOND + 1}.5"],
        ["2000-12-31 22:12:40", "2000-12-31 22:12:41.5"],
        ["2000-12-31T22:12:40Z", "2000-12-31T23:12:41.500+01:00"],
    ],
)
def test_times_of_every_unit_are_the_same_times(tmp_path, times):
    path = tmp_path / "ratings.csv"
    path.write_text("user,item,rating,time\n" + "".join(f"1,2,3,{time}\n" for time in times))
    fine = STARS._replace(microseconds=True)
    assert [row[3] for row in read_table(path)] in ([SECOND, SECOND + 1], [SECOND, SECOND + 2])
    assert [row[3] for row in read_table(path, fine)] == [
        SECOND * 10**6,
        (SECOND + 1) * 10**6 + 500_000,
    ]


def test_a_mix_of_units_is_refused_with_its_line(tmp_path):
    path = tmp_path / "ratings.csv"
    for first, second in ((f"{SECOND}", f"{SECOND}000"), (f"{SECOND}000", f"{SECOND}")):
        path.write_text(f"user,item,rating,time\n1,2,3,{first}\n1,2,3,{second}\n")
        with pytest.raises(
            UserError, match=rf":3: time '{second}' is in .* write all times in one"
        ):
            read_table(path)


def test_dates_are_described(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("user,item,rating,time\n1,2,3,2000-12-31 22:12:40\n")
    assert "times in dates without a zone, taken as UTC" in table_of(path).described()
