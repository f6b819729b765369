import pytest

from tests.transforms.tables import read_table, table_of
from transforms.base.errors import UserError
from transforms.parsing.rating_header import parse_columns
from transforms.parsing.rating_rules import STARS, interactions

TITLES = {"user_id": 0, "item_id": 1, "rating": 2, "timestamp": 3}
ROWS = [(1, 594, 4.0, 978823511), (1, 2018, 0.5, 978822551), (3, 1246, 5.0, 978824268)]
COUNTS = interactions(string_ids=False, any_rating=False)._replace(microseconds=False)


def write(folder, content, name="ratings.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def text_of(separator=",", header="userId,movieId,rating,timestamp", rows=ROWS):
    lines = [header.split(",")] if header else []
    lines += [[f"{value:g}" if type(value) is float else f"{value}" for value in r] for r in rows]
    return "".join(separator.join(line) + "\n" for line in lines)


@pytest.mark.parametrize(
    ("header", "places"),
    [
        ("userId,movieId,rating,timestamp", (0, 1, 2, 3)),
        ("timestamp, rating,userId,movieId\r", (2, 3, 1, 0)),
        # The 2018 code's, Amazon's, RecBole's, Book-Crossing's, and one with an index before it.
        ("user_id,item_id,rating,timestamp", (0, 1, 2, 3)),
        ("user_id,parent_asin,rating,verified,timestamp", (0, 1, 2, 4)),
        ("user_id:token,item_id:token,rating:float,timestamp:float", (0, 1, 2, 3)),
        ('"User-ID","ISBN","Book-Rating","time"', (0, 1, 2, 3)),
        (",user,item,stars,Time", (1, 2, 3, 4)),
        # What has the very name is meant, and what is like it is left alone.
        ("userId,user,movieId,item,rating,timestamp", (0, 2, 4, 5)),
        # Cut in the first row.
        ("userId,movieId,rating,timestamp", (0, 1, 2, 3)),
    ],
)
def test_columns_are_known_by_what_people_call_them(tmp_path, header, places):
    fields = ["7"] * (header.count(",") + 1)
    table = table_of(write(tmp_path, header + "\n" + ",".join(fields) + "\n"))
    assert tuple(table.places[title] for title in TITLES) == places
    assert table.start == len(header) + 1


@pytest.mark.parametrize("header", ["userId,movieId,rating,timestamp", ""])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "::", " "])
@pytest.mark.parametrize("mark", ["", "\ufeff", "\n\r\n"])
def test_rows_are_the_same_whatever_is_between_fields(tmp_path, header, separator, mark):
    path = write(tmp_path, mark + text_of(separator, header))
    assert read_table(path, block_bytes=20) == ROWS
    assert table_of(path).separator == separator


@pytest.mark.parametrize(
    ("columns", "content"),
    [
        ("user:Wer,item:Was,rating:Note,time:Wann", text_of(header="Wer,Was,Note,Wann")),
        ("user:wer,item:was,rating:Note,time:wann", text_of(";", "Wer,Was,Note,Wann")),
        ("user:1,item:2,rating:3,time:4", text_of(header="")),
        ("user:1,item:2,rating:3,time:4", text_of("\t", "a,b,c,d")),
        (
            "time:1,item:3,rating:4,user:5",
            text_of("|", "", [(t, 9, i, r, u) for u, i, r, t in ROWS]),
        ),
    ],
)
def test_columns_may_be_named_or_numbered(tmp_path, columns, content):
    assert read_table(write(tmp_path, content), columns=parse_columns(columns)) == ROWS


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ("user:a", "of the form user:NAME"),
        ("user:a,item", "of the form user:NAME"),
        ("user:a,item:b,stars:c", "of the form user:NAME"),
        ("user:a,user:b,item:c", "of the form user:NAME"),
        ("user:a,item:2", "names in all places"),
        ("user:a,item:a", "of a column each"),
    ],
)
def test_a_setting_that_names_no_columns_is_refused(columns, rule):
    with pytest.raises(ValueError, match=rule):
        parse_columns(columns)


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        (
            "user,user_id,item,rating,time\n1,1,2,3,4\n",
            "",
            "column user_id may be any of user, user",
        ),
        ("userId,movieId,rating,rating,timestamp\n", "", "column rating may be any of rating, rat"),
        (
            "who,what,when\n1,2,3\n",
            "",
            "'who,what,when' is neither a row of user, item, rating and",
        ),
        (
            "ana,book,3\n",
            "user:1,item:4",
            "columns=user_id:1,item_id:4: the first row, 'ana,book,3', d",
        ),
        ("a,b\n1,2\n", "user:a,item:c", "the first row, 'a,b', does not have a, c; say which"),
        (
            "user,item,rating\n1,2,3\n",
            "",
            "no column has times, without which it is not known which",
        ),
        ("1,2,3\n", "", "no column has times, without which it is not known which"),
        (
            "user,item,time\n1,2,978300760\n",
            "",
            "no column has ratings, which this pipeline is abo",
        ),
        (
            "1,2,978300760\n",
            "",
            "no column has ratings, which this pipeline is about; say which",
        ),
        ("7\n8\n", "", "'7' is neither a row of user, item, rating and time, nor a header"),
        ("7,8,3,9\0\n", "", "holds a NUL byte; mend the row"),
    ],
)
def test_what_may_be_read_in_two_ways_or_in_none_is_refused(tmp_path, content, columns, message):
    path = write(tmp_path, content)
    with pytest.raises(UserError) as caught:
        table_of(path, parse_columns(columns))
    assert str(caught.value).startswith(f"{path}:1: ") and message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_ratings_each_is_one_and_without_times_each_is_zero(tmp_path):
    named = parse_columns("user:1,item:2")
    path = write(tmp_path, "1,2\n3,4\n")
    assert read_table(path, COUNTS, named) == [(1, 2, 1.0, 0), (3, 4, 1.0, 0)]
    path = write(tmp_path, "user,item,time\n1,2,978300760\n")
    assert read_table(path, COUNTS) == [(1, 2, 1.0, 978300760)]
    assert read_table(write(tmp_path, "1\t2\t978300760\n"), COUNTS) == [(1, 2, 1.0, 978300760)]


def test_counts_are_no_stars_and_0_is_asked_about(tmp_path):
    path = write(tmp_path, "user,item,plays,time\n1,2,17,978300760\n")
    assert read_table(path, COUNTS) == [(1, 2, 17.0, 978300760)]
    with pytest.raises(UserError, match=r":2: plays '17' is not from 0\.5 to 5; bring all"):
        read_table(path)
    path = write(tmp_path, "user,item,plays,time\n1,2,0,978300760\n")
    with pytest.raises(UserError, match=r":2: plays '0' is not above 0, .* with min_rating, such"):
        read_table(path, COUNTS)
    rules = interactions(string_ids=False, any_rating=True)
    assert read_table(path, rules) == [(1, 2, 0.0, 978300760 * 10**6)]


def test_a_decimal_comma_is_read_where_commas_separate_nothing(tmp_path):
    rows = [(u, i, f"{r}".replace(".", ","), t) for u, i, r, t in ROWS]
    assert read_table(write(tmp_path, text_of(";", rows=rows))) == ROWS
    path = write(tmp_path, text_of(";", rows=rows) + "1;2;3.5;9\n1;2;3,x;9\n")
    with pytest.raises(UserError, match=r":6: rating '3,x' is not a number"):
        read_table(path)


def test_a_header_alone_is_refused_and_a_long_first_line_too(tmp_path):
    with pytest.raises(UserError, match="the file holds a header and no ratings"):
        table_of(write(tmp_path, text_of(rows=[])))
    with pytest.raises(UserError, match=r"ratings\.csv:1: the line is longer than 131072 bytes"):
        table_of(write(tmp_path, "1," * 100_000))
    with pytest.raises(UserError, match="the file is empty"):
        table_of(write(tmp_path, "\n \n"))


def test_what_was_taken_for_what_is_described(tmp_path):
    table = table_of(write(tmp_path, text_of(";", "user,ISBN,Book-Rating,time")))
    assert table.described() == (
        "semicolons between fields; user_id=user, item_id=ISBN, rating=Book-Rating, "
        "timestamp=time; times in seconds"
    )
    table = table_of(write(tmp_path, "1,2\n"), parse_columns("user:1,item:2"), needs_rating=False)
    assert table.described() == "commas between fields; user_id=user_id, item_id=item_id; no times"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_called_by_its_name(tmp_path, encoding):
    with pytest.raises(UserError, match="is UTF-16 without a byte order mark: save the file as"):
        table_of(write(tmp_path, text_of().encode(encoding)))


def test_names_in_messages_are_the_files_own(tmp_path):
    path = write(tmp_path, text_of(header="user,ISBN,Book-Rating,time") + "1,x,3,978300760\n")
    with pytest.raises(
        UserError, match=r":5: ISBN 'x' is not an integer \(text is for string_ids=true\)"
    ):
        read_table(path, STARS)
