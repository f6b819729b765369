import glob
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.base.errors import UserError
from transforms.parsing.read_movies import NO_GENRES, find_movies, need_movies, read_movies

HEADER = "movieId,title,genres\n"
ROWS = [(1, "Toy Story (1995)", "Animation|Children"), (7, "Été, L' (1996)", "Drama")]
DAT = "".join(f"{i}::{t}::{g}\n" for i, t, g in ROWS)
CSV = HEADER + "".join(f'{i},"{t}",{g}\n' for i, t, g in ROWS)


def write(folder, name, content):
    path = folder / name
    coding = "latin-1" if name.endswith("dat") else "utf-8"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(coding))
    return str(path)


def read(path):
    return [movie[1:] for movie in read_movies(path)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("movies.dat", DAT),
        ("movies.dat", DAT.replace("\n", "\r\n")),
        ("movies.dat", "\n" + DAT.removesuffix("\n")),
        ("movies.dat", b"\xef\xbb\xbf" + DAT.encode("latin-1")),
        ("movies.csv", CSV),
        ("movies.csv", CSV.replace("\n", "\r\n")),
        ("movies.csv", "\ufeff" + CSV.removesuffix("\n")),
        ("movies.csv", CSV.replace("\n", "\n\n")),
        ("movies.csv", CSV.replace("1,", " 1 ,", 1)),
        (
            "movies.csv",
            "genres,imdb,movieId,title\n" + "".join(f'{g},"a, b",{i},"{t}"\n' for i, t, g in ROWS),
        ),
    ],
)
def test_spellings_of_the_same_movies_are_equal(tmp_path, name, content):
    assert read(write(tmp_path, name, content)) == ROWS


TITLES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(-(10**17), 10**17), TITLES, min_size=1))
def test_any_title_survives_either_format(tmp_path_factory, movies):
    folder = tmp_path_factory.mktemp("movies")
    quoted = [(i, '"' + title.replace('"', '""') + '"') for i, title in movies.items()]
    csv = HEADER + "".join(f"{i},{title},War\n" for i, title in quoted)
    dat = "".join(f"{i}::{title}::War\n" for i, title in movies.items())
    expected = [(i, title, "War") for i, title in movies.items()]
    assert read(write(folder, "movies.csv", csv)) == expected
    assert read(write(folder, "movies.dat", dat.encode())) == expected
    # No UTF-8 has these two bytes, so that the file is Latin-1 whatever else is in it.
    dat, expected = dat + f"{10**18}::é!::War\n", [*expected, (10**18, "é!", "War")]
    assert read(write(folder, "movies.dat", dat.encode("latin-1"))) == expected


@pytest.mark.parametrize(
    ("name", "content", "line", "message"),
    [
        ("m.dat", DAT + "x8::A::War\n", 3, "movieId 'x8' is not an integer"),
        ("m.dat", DAT + "8.0::A::War\n", 3, "movieId '8.0' is not an integer"),
        ("m.dat", DAT + "0x8::A::War\n", 3, "movieId '0x8' is not an integer"),
        ("m.dat", f"{2**63}::A::War\n", 1, "outside the range of int64"),
        ("m.dat", "\r\n8::A\r\n", 2, "'8::A' does not have 3 fields"),
        ("m.dat", "8,A,War\n", 1, "column movieId, title, genres must occur once"),
        ("m.dat", DAT + "7::A::War\n", 3, "movie 7 is at {path}:2 already"),
        ("m.csv", CSV + HEADER, 4, "movieId 'movieId' is not an integer"),
        ("m.csv", CSV + "8,A, The,War\n", 4, "'8,A, The,War' does not have 3 fields"),
        ("m.csv", CSV + "8,A\n", 4, "'8,A' does not have 3 fields"),
        ("m.csv", CSV + '8,"A\n,War\n', 4, "unexpected end of data"),
        ("m.csv", CSV + '8,"A" B,War\n', 4, "expected after '\"'"),
        ("m.csv", HEADER + '8,"A\nB",War\nx,A,War\n', 4, "movieId 'x' is not an integer"),
        ("m.csv", CSV + f"8,{'A' * 200_000},War\n", 4, "field larger than"),
        ("m.csv", CSV + "8,A\0,War\n", 4, "holds a NUL byte"),
        ("m.csv", CSV.encode() + b"8,\xc9t\xe9,War\n", 4, "byte 0xc9 at offset"),
        ("m.csv", CSV.replace("genres", "kinds"), 1, "column genres must occur once"),
        ("m.csv", CSV.replace("title", "movieId"), 1, "column movieId must occur once"),
    ],
)
def test_a_malformed_row_is_named_with_its_line(tmp_path, name, content, line, message):
    path = write(tmp_path, name, content)
    with pytest.raises(UserError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message.format(path=path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "content"), [("m.dat", ""), ("m.csv", ""), ("m.csv", HEADER)])
def test_a_file_without_movies_is_refused(tmp_path, name, content):
    with pytest.raises(UserError, match="holds no movies"):
        read(write(tmp_path, name, content))


def test_there_must_be_one_movies_file(tmp_path):
    folder = glob.escape(str(tmp_path))
    write(tmp_path, "movies.zip", b"")
    write(tmp_path, "movies.old.csv", CSV)
    assert find_movies(folder) == ""
    with pytest.raises(UserError, match=r"no movies; expected movies\.csv"):
        need_movies(folder)
    path = write(tmp_path, "movies.csv", CSV)
    assert find_movies(folder) == need_movies(folder) == path
    write(tmp_path, "movies.dat", DAT)
    with pytest.raises(UserError, match=r"holds movies\.csv and movies\.dat, and .*; keep one"):
        find_movies(folder)


def test_columns_are_known_by_what_people_call_them(tmp_path):
    rows = "7,A (2000),War\n"
    plain = read(write(tmp_path, "m.csv", HEADER + rows))
    for header in ("item_id,titles,genres", "Movie-ID,Name,genre", "item_id:token,title,genre"):
        path = write(tmp_path, "m.csv", f"{header}\n{rows}")
        assert read(path) == plain


U_ITEM = (
    "1|Toy Story (1995)|01-Jan-1995||http://x|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    "2|Été (1996)|||http://y|0|0|0|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|1\n"
    "3|unknown||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
)


def test_ml_100ks_flags_are_genres(tmp_path):
    path = write(tmp_path, "u.item", U_ITEM.encode("latin-1"))
    assert [movie[1:] for movie in read_movies(path)] == [
        (1, "Toy Story (1995)", "Animation|Children's|Comedy"),
        (2, "Été (1996)", "Drama|Western"),
        (3, "unknown", NO_GENRES),
    ]
    write(tmp_path, "u.item", U_ITEM + U_ITEM.splitlines()[0].replace("1|", "4|", 1)[:-1] + "2\n")
    with pytest.raises(
        UserError, match=r"u\.item:4: .* does not have 5 fields and then 19 of 0 or 1"
    ):
        read(path)
    write(tmp_path, "u.item", U_ITEM + "4|A|B\n")
    with pytest.raises(UserError, match=r"u\.item:4: '4\|A\|B' does not have 5 fields"):
        read(path)


def test_ml_10ms_titles_are_utf_8_and_ml_1ms_latin_1(tmp_path):
    for encoding in ("utf-8", "latin-1"):
        path = write(tmp_path, "movies.dat", "7::Été (1996)::Drama\n".encode(encoding))
        assert [movie.title for movie in read_movies(path)] == ["Été (1996)"]


def test_a_table_may_be_packed_and_have_tabs_and_recboles_names(tmp_path):
    rows = "item_id:token\tmovie_title:token_seq\tgenre:token_seq\n7\tÉté\tSci-Fi War\n"
    path = write(tmp_path, "ml.item", rows)
    assert [movie[1:] for movie in read_movies(path)] == [(7, "Été", "Sci-Fi|War")]
    path = write(tmp_path, "movies.csv.gz", gzip.compress(CSV.encode()))
    assert read(path) == read(write(tmp_path, "movies.csv", CSV))
