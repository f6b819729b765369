import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.tables import read_table
from transforms.base.errors import UserError
from transforms.parsing import parse_ratings as parse_ratings_module
from transforms.parsing.parse_ratings import STRING_ID_COLUMNS, parse_ratings
from transforms.parsing.rating_rules import STARS, interactions
from transforms.parsing.rating_table import RatingTable
from transforms.parsing.string_ids import id_fault
from transforms.parsing.time_units import SECONDS

FIELDS = ("userId", "movieId", "rating", "timestamp")
HEADER = ",".join(FIELDS) + "\n"
GOOD = "ana-17,sku-042,3,9\n"
# Commas, quotes, blanks, hexadecimal numbers and what some parsers take for missing or for a break.
PIECES = ["a", "é", " ", ",", '"', "0x1F", "-0X2", "01", "NA", "null", "\u2028", "#", "\\"]
RULES = STARS._replace(string_ids=True)
PLACES = {"user_id": 0, "item_id": 1, "rating": 2, "timestamp": 3}
TABLE = RatingTable("r.csv", 0, True, ",", FIELDS, PLACES, 0, SECONDS, ".")
IDS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)


def read(folder, content, name="ratings.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, RULES)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(IDS, IDS), min_size=1, max_size=6), st.sampled_from([csv.QUOTE_ALL, 0]))
def test_ids_are_what_a_csv_writer_wrote_without_blanks_around_them(pairs, quoting):
    rows = [(user, item, 4.0, at) for at, (user, item) in enumerate(pairs)]
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator="\n").writerows(rows)
    expected = [(u.strip(" \t"), i.strip(" \t"), r, t) for u, i, r, t in rows]
    bad = sum(not (user and item) for user, item, *_ in expected)
    ratings, bad_rows = parse_ratings(text.getvalue().encode(), 0, TABLE, RULES, 9)
    assert ratings.schema == STRING_ID_COLUMNS
    assert bad_rows.total == bad
    found = list(zip(*ratings.to_pydict().values(), strict=True))
    assert found == [row for row in expected if row[0] and row[1]]


def test_halves_of_a_block_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(parse_ratings_module, "_LOOK_BYTES", 40)
    times = [10**9 + at for at in range(20)]
    lines = [f'user-{at % 3},{at % 2}"x,3,{at}\n' for at in times]
    rows = [(f"user-{at % 3}", f'{at % 2}"x', 3.0, at) for at in times]
    assert read(tmp_path, HEADER + "".join(lines)) == rows


def test_ml_1ms_format_has_text_too_but_for_colons(tmp_path):
    assert read(tmp_path, 'zoë::"0x1F"::3::9\n', "r.dat") == [("zoë", '"0x1F"', 3.0, 9)]
    with pytest.raises(UserError, match=r"r\.dat:2: item_id 'b:c' is not free of colons"):
        read(tmp_path, "a::b::3::9\na::b:c::3::9\n", "r.dat")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",8,3,9", "userId '' is empty"),
        ('7," ",3,9', "movieId ' ' is empty"),
        (f"{'é' * 129},8,3,9", "is longer than 256 bytes"),
        ("7,a\x01b,3,9", "movieId 'a\\x01b' is not UTF-8 text free of control characters"),
        ('"7\tb",8,3,9', "userId '7\\tb' is not UTF-8 text free of control characters"),
        ("7,\x9bm,3,9", "movieId '\\x9bm' is not UTF-8 text"),
        ("\ufeff7,8,3,9", "userId '\\ufeff7' is not UTF-8 text"),
        (b"7,\xff8,3,9", "movieId '\ufffd8' is not UTF-8 text"),
        ("7,a\0b,3,9", "holds a NUL byte"),
        ("7,a\rb,3,9", "holds a carriage return"),
        ('7,"a\nb",3,9', "unexpected end of data"),
        ("a,b,c,3,9", "does not have 4 fields"),
        ("7,0x8,3,0x9", "timestamp '0x9' is not a time"),
        ("7,8,0x3,9", "rating '0x3' is not a number"),
    ],
)
def test_what_is_no_id_is_refused_with_its_place(tmp_path, row, message):
    row = row if isinstance(row, bytes) else row.encode()
    with pytest.raises(UserError) as caught:
        read(tmp_path, (HEADER + GOOD).encode() + row + b"\n" + GOOD.encode())
    assert str(caught.value).startswith(f"{tmp_path}/ratings.csv:3: ")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_the_longest_id_is_read(tmp_path):
    assert read(tmp_path, f"{HEADER}{'é' * 128},8,3,9\n")[0][0] == "é" * 128
    assert id_fault("é" * 128) == ""


def test_text_for_integers_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "r.csv").write_text(HEADER + GOOD)
    with pytest.raises(
        UserError, match=r"'ana-17' is not an integer \(text is for string_ids=true\)"
    ):
        read_table(tmp_path / "r.csv", interactions(string_ids=False, any_rating=False))
