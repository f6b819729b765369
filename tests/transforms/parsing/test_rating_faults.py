"""What real ratings and movies files have wrong, and what becomes of it."""

import gzip

import numpy as np
import pytest

from tests.transforms.tables import folder_pattern, read_table
from transforms.base.errors import UserError
from transforms.join_movies import find_rows
from transforms.parsing.read_movies import read_movies
from transforms.read_ratings import find_tables, read_range
from transforms.vectorize_genres import GENRES, vectorize_genres

RATINGS = "userId,movieId,rating,timestamp\n1,5,3.5,978300760\n2,7,4.0,978300761\n"
MOVIES = 'movieId,title,genres\n5,"Été, L\' (1996)",Drama|War\n7,B (2000),Comedy\n'
WAR, COMEDY = {"Drama", "War"}, {"Comedy"}
BOTH = [(1, 5, 3.5, WAR), (2, 7, 4.0, COMEDY)]
BIG = 2**40

# A fault; what it changes in ratings.csv and in movies.csv; and the rows that are read right, or
# the file, line and reason of the refusal.
TABLE = [
    ("none", None, None, BOTH),
    ("CRLF", ("\n", "\r\n"), ("\n", "\r\n"), BOTH),
    ("mixed line ends", ("760\n", "760\r\n"), ("War\n", "War\r\n"), BOTH),
    ("no last newline", ("761\n", "761"), ("Comedy\n", "Comedy"), BOTH),
    ("blank lines", ("\n2", "\n\n2"), ("\n7", "\n\n7"), BOTH),
    ("byte order mark", ("userId", "\ufeffuserId"), ("movieId", "\ufeffmovieId"), BOTH),
    ("quoted numbers", (",5,", ',"5",'), ("\n7,", '\n"7",'), BOTH),
    (
        "other order of columns",
        None,
        (MOVIES, "genres,movieId,title\nWar|Drama,5,A\nComedy,7,B\n"),
        BOTH,
    ),
    ("quote in a title", None, ("B (2000)", '"""B"" (2000)"'), BOTH),
    ("newline in a title", None, ("B (2000)", '"B\n(2000)"'), BOTH),
    ("ratings in whole stars", ("3.5", "3"), None, [(1, 5, 3.0, WAR), BOTH[1]]),
    ("ratings between half stars", ("3.5", "3.375"), None, [(1, 5, 3.375, WAR), BOTH[1]]),
    ("half a star", ("3.5", ".5"), None, [(1, 5, 0.5, WAR), BOTH[1]]),
    (
        "a movie id past int32",
        (",7,", f",{BIG},"),
        ("\n7", f"\n{BIG}"),
        [BOTH[0], (2, BIG, 4.0, COMEDY)],
    ),
    ("no genres", None, ("Comedy", "(no genres listed)"), [BOTH[0], (2, 7, 4.0, set())]),
    ("ml-1m's Children's", None, ("Comedy", "Children's"), [BOTH[0], (2, 7, 4.0, {"Children"})]),
    ("a movie without ratings", None, ("\n7", "\n6,C,IMAX\n7"), BOTH),
    ("a rating without a movie", (",7,", ",8,"), None, [BOTH[0], (2, 8, 4.0, None)]),
    (
        "repeated header in ratings",
        ("\n2", "\nuserId,movieId,rating,timestamp\n2"),
        None,
        "ratings.csv:3: 'userId,movieId,rating,timestamp' is a second header; mend the row or",
    ),
    (
        "repeated header in movies",
        None,
        ("\n7", "\nmovieId,title,genres\n7"),
        "movies.csv:3: movieId 'movieId' is not an integer",
    ),
    ("rating 0", ("3.5", "0"), None, "ratings.csv:2: rating '0' is not from 0.5 to 5"),
    ("rating 6", ("3.5", "6"), None, "ratings.csv:2: rating '6' is not from 0.5 to 5"),
    (
        "decimal comma",
        ("3.5", "3,5"),
        None,
        "ratings.csv:2: '1,5,3,5,978300760' does not have 4 fields",
    ),
    ("no rating", ("4.0", "NA"), None, "ratings.csv:3: rating 'NA' is not a number (a missing"),
    (
        "a date for a timestamp",
        ("978300760", "2001-01-01"),
        None,
        "ratings.csv:3: timestamp '978300761' is in seconds, and the file's first is in dates",
    ),
    (
        "a negative timestamp",
        ("978300761", "-1"),
        None,
        "ratings.csv:3: timestamp '-1' is negative",
    ),
    (
        "a movie id past int64",
        (",7,", ",9999999999999999999,"),
        None,
        "ratings.csv:3: movieId '9999999999999999999' is outside the range of int64",
    ),
    (
        "a cut last row",
        ("4.0,978300761\n", "4"),
        None,
        "ratings.csv:3: '2,7,4' does not have 4 fields",
    ),
    (
        "semicolons",
        (",", ";"),
        None,
        BOTH,
    ),
    (
        "no header",
        ("userId,movieId,rating,timestamp\n", ""),
        None,
        BOTH,
    ),
    ("an empty file", (RATINGS, ""), None, "ratings.csv: the file is empty"),
    ("spaces after commas", (",", ", "), None, BOTH),
    (
        "a number quoted in part",
        ("3.5", '"3"5'),
        None,
        "ratings.csv:2: '1,5,\"3\"5,978300760': ',' expected",
    ),
    (
        "an open quote in ratings",
        ("1,5", '1,"5'),
        None,
        "ratings.csv:2: '1,\"5,3.5,978300760': unexpected end",
    ),
    (
        "a quoted end of a line in ratings",
        ("760\n", '"760\n"'),
        None,
        "ratings.csv:2: timestamp '978300\"760' is not a time",
    ),
    (
        "old Mac line ends",
        ("\n", "\r"),
        None,
        "ratings.csv:1: 'userId,movieId,rating,timestamp\\r1,5,3.5",
    ),
    (
        "a column twice",
        ("userId,", "userId,userId,"),
        None,
        "ratings.csv:1: column user_id may be any of userId, userId; say",
    ),
    (
        "a cut header",
        ("rating,timestamp\n", "rat"),
        None,
        "ratings.csv:1: no column has ratings, which",
    ),
    ("a header alone", (RATINGS[32:], ""), None, "ratings.csv: the file holds a header and no"),
    (
        "bad UTF-8 in a title",
        None,
        ("B (2000)", "B\udcff (2000)"),
        "movies.csv:3: byte 0xff at offset",
    ),
    ("an open quote", None, ("B (2000)", '"B (2000)'), "movies.csv:3: unexpected end of data"),
    (
        "an unquoted comma in a title",
        None,
        ("B (2000)", "B, The"),
        "movies.csv:3: '7,B, The,Comedy' does not have 3 fields",
    ),
    ("a movie twice", None, ("7,", "5,"), "movies.csv:3: movie 5 is at"),
    (
        "an unknown genre",
        None,
        ("Comedy", "Comdy"),
        "movies.csv:3: movie 7 'B (2000)': genre 'Comdy' is none of the 19; did you mean Comedy?",
    ),
    (
        "no genre",
        None,
        ("Comedy", ""),
        "movies.csv:3: movie 7 'B (2000)': genre '' is none of the 19",
    ),
]


DAT = b"1::5::3::978300760\n2::7::4::978300761\n"
FIRST, SECOND = (1, 5, 3.0, 978300760), (2, 7, 4.0, 978300761)
LEAST, MOST = -(2**63), 2**63 - 1

# A fault; the bytes of ratings.dat; and the rows that are read right, or the line and reason of
# the refusal.
DAT_TABLE = [
    ("tabs", DAT.replace(b"::", b"\t"), [FIRST, SECOND]),
    ("single colons", DAT.replace(b"::", b":"), "1: '1:5:3:978300760' is neither a row of"),
    ("one colon too many", DAT.replace(b"2::7", b"2:::7"), "2: item_id ':7' is not an integer"),
    ("a field too many", DAT.replace(b"::4", b"::4::4"), "2: '2::7::4::4::978300761' does not"),
    ("a header", b"UserID::MovieID::Rating::Timestamp\n" + DAT, [FIRST, SECOND]),
    ("two byte order marks", b"\xef\xbb\xbf" * 2 + DAT, "1: user_id '\\ufeff1' is not an integer"),
    ("UTF-16", DAT.decode().encode("utf-16"), [FIRST, SECOND]),
    ("a gzipped file", gzip.compress(DAT), "1: "),
    ("a web page", b"<!DOCTYPE html>\n<html>404</html>\n", "1: '<!DOCTYPE html>' is neither"),
    ("zeros at the end", DAT + bytes(512), "3: "),
    ("a NUL byte", DAT.replace(b"::7", b"::7\0"), "2: '2::7\\x00::4::978300761' holds a NUL byte"),
    (
        "old Mac ends",
        DAT.replace(b"\n", b"\r"),
        "1: '1::5::3::978300760\\r2::7::4::978300761' holds",
    ),
    ("CR CR LF", DAT.replace(b"\n", b"\r\r\n"), "1: '1::5::3::978300760\\r' holds a carriage"),
    ("a line of spaces", DAT.replace(b"\n2", b"\n  \n2"), "2: '  ' is a blank line that is not"),
    ("a line of 10 MB", DAT + b"9" * 10_000_000 + b"\n" + DAT, "3: the line is longer than 131072"),
    ("10 MB of zeros", DAT + b"0" * 10_000_000 + DAT, "3: the line is longer than 131072 bytes"),
    ("a hexadecimal id", DAT.replace(b"2::", b"0x2::"), "2: user_id '0x2' is not an integer"),
    ("a plus sign", DAT.replace(b"::7", b"::+7"), "2: item_id '+7' is not an integer"),
    ("a decimal id", DAT.replace(b"::7", b"::7.0"), "2: item_id '7.0' is not an integer"),
    ("other digits", DAT.replace(b"::7", "::\u0667".encode()), "2: item_id '\u0667' is not"),
    ("NaN", DAT.replace(b"::4", b"::nan"), "2: rating 'nan' is not a number"),
    ("infinity", DAT.replace(b"::4", b"::inf"), "2: rating 'inf' is not a number"),
    (
        "too small for a float",
        DAT.replace(b"::4", b"::1e-99"),
        "2: rating '1e-99' is not from 0.5 to 5",
    ),
    ("a time with a fraction", DAT.replace(b"761", b"761.5"), "2: timestamp '978300761.5' is in"),
    (
        "an id past int64",
        DAT.replace(b"::7", b"::%d" % (MOST + 1)),
        f"2: item_id '{MOST + 1}' is outside the range of int64",
    ),
    (
        "an id past int64, below 0",
        DAT.replace(b"::7", b"::%d" % (LEAST - 1)),
        f"2: item_id '{LEAST - 1}' is outside the range of int64",
    ),
    (
        "ids at the ends of int64",
        DAT.replace(b"::7", b"::%d" % MOST).replace(b"::5", b"::%d" % LEAST),
        [(1, LEAST, *FIRST[2:]), (2, MOST, *SECOND[2:])],
    ),
    (
        "the last second",
        DAT.replace(b"978300761", b"%d" % (2**32 - 1)),
        [FIRST, (*SECOND[:3], 2**32 - 1)],
    ),
    (
        "a second later",
        DAT.replace(b"978300761", b"%d" % 2**32),
        f"2: timestamp '{2**32}' is in milliseconds, and the file's first",
    ),
    ("leading zeros", DAT.replace(b"::7", b"::007"), [FIRST, SECOND]),
    ("spaces around values", DAT.replace(b"::7::", b":: 7\t:: "), [FIRST, SECOND]),
    ("the file twice", DAT * 2, [FIRST, SECOND] * 2),
    ("cut after a row", DAT[:19], [FIRST]),
    ("cut in a row", DAT[:25], "2: '2::7::' does not have 4 fields"),
]


def read(folder):
    """Returns (user, item, stars, genres or None) of all ratings."""
    (table,) = find_tables(folder_pattern(folder), {})
    ratings = read_range(table, table.start, table.size)[0].to_pydict()
    table = vectorize_genres(read_movies(str(folder / "movies.csv")))
    rows, known = find_rows(np.array(ratings["item_id"]), table.item_id)
    genres = [
        {GENRES[at] for at in table.genres[row].nonzero()[0]} if found else None
        for row, found in zip(rows, known, strict=True)
    ]
    columns = (ratings["user_id"], ratings["item_id"], ratings["rating"], genres)
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("ratings", "movies", "outcome"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_fault_is_read_right_or_refused_with_its_place(tmp_path, tally, ratings, movies, outcome):
    for name, content, change in (
        ("ratings.csv", RATINGS, ratings),
        ("movies.csv", MOVIES, movies),
    ):
        changed = content.replace(*change) if change else content
        assert change is None or changed != content
        (tmp_path / name).write_bytes(changed.encode(errors="surrogateescape"))
    tally.judge("broken files", lambda: judge(tmp_path, lambda: read(tmp_path), outcome))


@pytest.mark.parametrize(
    ("content", "outcome"), [row[1:] for row in DAT_TABLE], ids=[row[0] for row in DAT_TABLE]
)
def test_a_fault_in_ml_1ms_format_is_too(tmp_path, tally, content, outcome):
    assert content != DAT
    path = tmp_path / "ratings.dat"
    path.write_bytes(content)

    def read_dat():
        return read_table(path)

    expected = outcome if isinstance(outcome, list) else f"ratings.dat:{outcome}"
    tally.judge("broken files", lambda: judge(tmp_path, read_dat, expected))


def judge(folder, read, outcome):
    """Asserts what reading gives, rows or a refusal that begins with `outcome`."""
    if isinstance(outcome, list):
        assert read() == outcome
        return "right"
    with pytest.raises(UserError) as caught:
        read()
    assert str(caught.value).startswith(f"{folder}/{outcome}")
    assert "\n" not in str(caught.value)
    return "refused"
