"""What people have, as they have it: read as the same rows in ml-20m's layout, or refused."""

import csv
import datetime
import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transforms.tables import folder_pattern, read_table
from transforms.base.errors import UserError
from transforms.parsing.rating_header import parse_columns
from transforms.parsing.rating_rules import interactions
from transforms.read_ratings import find_tables

ROWS = [(1 + at % 7, 10 + 3 * at, 1.0 + at % 5, 1112486027 + 86400 * at) for at in range(40)]


def table(rows, header="", separator=",", **how):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n", **how)
    if header:
        writer.writerow(header.split(","))
    writer.writerows(rows)
    return text.getvalue().encode()


def timed(convert):
    return [(user, item, f"{stars:g}", convert(time)) for user, item, stars, time in ROWS]


def date(time):
    return datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def parquet(columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


WHOLE = timed(int)
# What it is; its file; what is in it; and the setting `columns`.
KINDS = [
    ("ml-20m", "ratings.csv", table(ROWS, "userId,movieId,rating,timestamp"), ""),
    ("ml-1m", "ratings.dat", table(WHOLE, separator=":").replace(b":", b"::"), ""),
    ("ml-100k", "u.data", table(WHOLE, separator="\t"), ""),
    ("2018", "ratings.csv", table(ROWS, "user_id,item_id,rating,timestamp"), ""),
    ("Kaggle", "rating.csv", table(timed(date), "userId,movieId,rating,timestamp", quoting=1), ""),
    (
        "RecBole",
        "ml-1m.inter",
        table(WHOLE, "user_id:token,item_id:token,rating:float,timestamp:float", "\t"),
        "",
    ),
    ("Amazon 2014", "ratings.csv", table(WHOLE), ""),
    (
        "Amazon 2023",
        "ratings.csv",
        table(timed(lambda t: 1000 * t), "user_id,parent_asin,rating,timestamp"),
        "",
    ),
    ("Surprise", "ratings.txt", table(WHOLE, separator=" "), ""),
    (
        "Book-Crossing",
        "ratings.csv",
        table(
            [(u, i, s, t) for u, i, s, t in WHOLE], "User-ID,ISBN,Book-Rating,time", ";", quoting=1
        ),
        "",
    ),
    (
        "a foreign header",
        "bx.csv",
        table(WHOLE, "Wer,Was,Wieviel,Wann", ";"),
        "user:Wer,item:Was,rating:Wieviel,time:Wann",
    ),
    (
        "Excel",
        "ratings.csv",
        b"\xef\xbb\xbf"
        + table(
            [(u, i, f"{float(s):.1f}".replace(".", ","), t) for u, i, s, t in WHOLE],
            "user,item,rating,time",
            ";",
        ).replace(b"\n", b"\r\n"),
        "",
    ),
    (
        "PowerShell",
        "ratings.csv",
        table(WHOLE, "user,item,rating,time").decode().encode("utf-16"),
        "",
    ),
    (
        "a database",
        "ratings.csv.gz",
        gzip.compress(table(timed(lambda t: date(t) + "+00:00"), "user,item,rating,time")),
        "",
    ),
    (
        "Parquet",
        "ratings.parquet",
        parquet(
            dict(zip(("user", "item", "rating", "time"), zip(*ROWS, strict=True), strict=True))
        ),
        "",
    ),
]


def read_folder(folder, columns=""):
    (found,) = find_tables(folder_pattern(folder), {}) if not columns else [None]
    path = found.path if found else next(folder.iterdir())
    return read_table(path, columns=parse_columns(columns))


@pytest.mark.parametrize(
    ("name", "content", "columns"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS]
)
def test_a_kind_of_file_has_the_rows_of_ml_20ms_layout(tmp_path, name, content, columns):
    (tmp_path / name).write_bytes(content)
    assert read_folder(tmp_path, columns) == ROWS


def test_text_ids_are_the_same_in_every_kind(tmp_path):
    rows = [(f"A{u}é", f"00{i}", s, t) for u, i, s, t in ROWS]
    rules = interactions(string_ids=True, any_rating=False)._replace(microseconds=False)
    amazon = [(u, i, f"{s:.1f}", t) for u, i, s, t in rows]
    for name, content in {
        "ratings.csv": table(amazon),
        "ratings.tsv": table(amazon, "user_id:token,item_id:token,rating:float,time", "\t"),
        "ratings.csv.gz": gzip.compress(table(amazon, "user,asin,overall,unixReviewTime")),
    }.items():
        (tmp_path / name).write_bytes(content)
        assert read_table(tmp_path / name, rules) == rows


SEPARATORS = st.sampled_from([",", ";", "\t", "|", " "])
HEADERS = [
    ("userId", "user_id", "User-ID", "USER", "user_id:token", "who", "userId,userId", ""),
    ("movieId", "item_id", "ISBN", "Item Id", "asin", "what", "item,movie"),
    ("rating", "Book-Rating", "stars", "rating:float", "how", "rating,stars"),
    ("timestamp", "time", "Timestamp", "when", "unixReviewTime"),
]
UNITS = [
    int,
    lambda time: 1000 * time,
    lambda time: 10**6 * time,
    lambda time: 10**9 * time,
    lambda time: f"{time}.0",
    date,
    lambda time: date(time).replace(" ", "T") + "Z",
    lambda time: 1000 * time if time % 2 else time,
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_mutated_file_has_the_same_rows_or_is_refused_by_its_name(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("wild")
    draw = data.draw
    has_header = draw(st.booleans())
    # Without a header nobody can tell users from items.
    order = (
        draw(st.permutations(range(4))) if has_header else [0, 1, *draw(st.permutations((2, 3)))]
    )
    names = [draw(st.sampled_from(HEADERS[at])) for at in order]
    rows = [[row[at] for at in order] for row in timed(draw(st.sampled_from(UNITS)))]
    if draw(st.booleans()):
        rows = [[*row[:3], f"{row[3]}"] for row in rows]
    content = table(
        rows,
        ",".join(names) if has_header else "",
        draw(SEPARATORS),
        quoting=draw(st.sampled_from([0, 1])),
    )
    content = content.replace(b"\n", draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"])))
    content = content.decode().encode(draw(st.sampled_from(ENCODINGS)))
    packed = draw(st.booleans())
    name = draw(st.sampled_from(["ratings.csv", "ratings.dat", "rating.tsv", "u.data"]))
    if packed:
        name, content = f"{name}.gz", gzip.compress(content)
    (folder / name).write_bytes(content)
    (
        folder
        / draw(st.sampled_from(["ratings.old.csv", "ratings.csv~", "r.csv", "ratings (1).csv"]))
    ).write_bytes(content)
    try:
        found = read_folder(folder)
    except UserError as error:
        assert str(folder) in str(error) and "\n" not in str(error)
        return
    assert found == ROWS
