import os
import zipfile

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.tables import folder_pattern, read_table, table_of
from transforms.base.errors import UserError, find_user_error
from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.read_ratings import ReadRatings, find_tables, read_range

REAL = os.path.join("..", "shared", "data", "movielens", "ml-latest-small.zip")
HEADER = "userId,movieId,rating,timestamp\n"
ROWS = [(1, 594, 4.0, 978823511), (1, 2018, 0.5, 978822551), (-3, 1246, 5.0, 0)]
DAT = "".join(f"{u}::{i}::{r:g}::{t}\n" for u, i, r, t in ROWS)
CSV = HEADER + "".join(f"{u},{i},{r},{t}\n" for u, i, r, t in ROWS)


def write(folder, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ratings.dat", DAT),
        ("ratings.dat", DAT.replace("\n", "\r\n")),
        ("ratings.dat", DAT.removesuffix("\n")),
        ("ratings.dat", "\ufeff" + DAT),
        ("ratings.dat", "\n" + DAT.replace("\n", "\n\n") + "\r\n"),
        ("RATINGS.DAT", DAT.replace("::594::", "::000594::").replace("::4::", "::4.00::")),
        ("ratings.csv", CSV),
        ("ratings.csv", CSV.replace("\n", "\r\n")),
        ("ratings.csv", "\ufeff" + CSV.removesuffix("\n")),
        ("ratings.csv", CSV.replace(HEADER, '"userId","movieId", rating ,timestamp\n')),
        (
            "ratings.csv",
            CSV.replace(",594,", ',"594",').replace(",5.0", ", 5.0 ").replace("4.0", "4e0"),
        ),
        (
            "ratings.csv",
            "timestamp,note,note,rating,userId,movieId\n"
            + "".join(f'{t},0x1F of,"a, b",{r},{u},{i}\n' for u, i, r, t in ROWS),
        ),
    ],
)
def test_spellings_of_the_same_rows_are_equal(tmp_path, name, content):
    assert read_table(write(tmp_path, name, content)) == ROWS


@settings(max_examples=50, deadline=None)
@given(
    block_bytes=st.integers(1, 120),
    separators=st.lists(st.sampled_from(["\n", "\r\n", "\n\n"]), min_size=12, max_size=12),
    bom=st.booleans(),
    is_csv=st.booleans(),
)
def test_where_a_file_is_cut_does_not_matter(
    tmp_path_factory, block_bytes, separators, bom, is_csv
):
    rows = [(u, 10**u, 0.5 + u / 4, u * u) for u in range(12)]
    mark = "," if is_csv else "::"
    lines = [mark.join(str(value) for value in row) for row in rows]
    text = (HEADER if is_csv else "") + "".join(
        line + end for line, end in zip(lines, separators, strict=True)
    )
    folder = tmp_path_factory.mktemp("cut")
    path = write(folder, f"ratings.{'csv' if is_csv else 'dat'}", "\ufeff" * bom + text)
    assert read_table(path, block_bytes=block_bytes) == rows


def test_a_pipeline_reads_all_files_counts_rows_and_leaves_other_extensions_out(tmp_path):
    for name in ("part-1.dat", "part-2.dat"):
        write(tmp_path, name, DAT)
    write(tmp_path, "ratings.zip", "no ratings")

    def compare(batches: list[pa.RecordBatch]) -> None:
        rows = [row for batch in batches for row in zip(*batch.to_pydict().values(), strict=True)]
        assert sorted(rows) == sorted(ROWS * 2)

    pipeline = beam.Pipeline(LOCAL_RUNNER)
    tables = find_tables(folder_pattern(tmp_path), {})
    assert_that(pipeline | ReadRatings(tables, block_bytes=30), compare)
    result = pipeline.run()
    result.wait_until_finish()
    assert [c.result for c in result.metrics().query()["counters"]] == [len(ROWS) * 2]


def test_an_error_crosses_beam_as_one_line(tmp_path):
    path = write(tmp_path, "ratings.dat", DAT + "x12::8::3::9\n")
    with pytest.raises(Exception) as caught, beam.Pipeline(LOCAL_RUNNER) as pipeline:
        _ = pipeline | ReadRatings(find_tables(path, {}), 1 << 20)
    assert str(find_user_error(caught.value)) == (
        f"{path}:4: user_id 'x12' is not an integer; mend the row or remove it"
    )


GOOD = "7::8::3::9\n" * 5


@pytest.mark.parametrize(
    ("name", "content", "line", "message"),
    [
        ("r.dat", GOOD + "x12::8::3::9\n", 6, "user_id 'x12' is not an integer"),
        ("r.dat", GOOD + "7::8.0::3::9\n" + GOOD, 6, "item_id '8.0' is not an integer"),
        ("r.dat", "7::0x8::3::9\n", 1, "item_id '0x8' is not an integer"),
        ("r.dat", "7::+8::3::9\n", 1, "item_id '+8' is not an integer"),
        ("r.dat", "7::\u0668::3::9\n", 1, "item_id '\u0668' is not an integer"),
        ("r.dat", "7::::3::9\n", 1, "item_id '' is not an integer"),
        ("r.dat", '"7"::8::3::9\n', 1, "user_id '\"7\"' is not an integer"),
        ("r.dat", b"7::\xff8::3::9\n", 1, "item_id '\ufffd8' is not an integer"),
        ("r.dat", "7::8\0::3::9\n", 1, "'7::8\\x00::3::9' holds a NUL byte"),
        ("r.dat", f"{2**63}::8::3::9\n", 1, f"user_id '{2**63}' is outside the range of int64"),
        ("r.dat", f"7::{'9' * 5000}::3::9\n", 1, "outside the range of int64"),
        ("r.dat", f"{GOOD}7::8::3::-9\n", 6, "timestamp '-9' is negative"),
        ("r.dat", f"{GOOD}7::8::3::9.5\n", 6, "timestamp '9.5' is not a time"),
        (
            "r.dat",
            f"{GOOD}7::8::3::1500000000000\n",
            6,
            "timestamp '1500000000000' is in milliseconds, and the file's first is in seconds; "
            "write all times in one unit",
        ),
        ("r.dat", f"{GOOD}7::8::0.3::9\n", 6, "rating '0.3' is not from 0.5 to 5"),
        ("r.dat", f"{GOOD}7::8::0::9\n", 6, "rating '0' is not from 0.5 to 5"),
        ("r.dat", f"{GOOD}7::8::5.5::9\n", 6, "rating '5.5' is not from 0.5 to 5"),
        ("r.dat", f"{GOOD}7::8::-1::9\n", 6, "rating '-1' is not from 0.5 to 5"),
        ("r.dat", f"{GOOD}7::8::1e-60::9\n", 6, "rating '1e-60' is not from 0.5 to 5"),
        ("r.dat", f"{GOOD}7::8::nan::9\n", 6, "rating 'nan' is not a number"),
        ("r.dat", f"{GOOD}7::8::inf::9\n", 6, "rating 'inf' is not a number"),
        ("r.dat", f"{GOOD}7::8::3,x::9\n", 6, "rating '3,x' is not a number"),
        ("r.dat", f"{GOOD}\r\n\r\n7::8::x::9\r\n", 8, "rating 'x' is not a number"),
        ("r.dat", f"{GOOD}7::8::3\n", 6, "'7::8::3' does not have 4 fields"),
        ("r.dat", f"{GOOD}7::8::3::9::1\n", 6, "'7::8::3::9::1' does not have 4 fields"),
        ("r.dat", f"{GOOD}7:8:3:9\n", 6, "'7:8:3:9' does not have 4 fields"),
        ("r.dat", f"{GOOD}7:1:8::3::9\n", 6, "'7:1:8::3::9' does not have 4 fields"),
        ("r.dat", f"{GOOD}7\t8\t3\t9\n", 6, "'7\\t8\\t3\\t9' does not have 4 fields"),
        (
            "r.dat",
            GOOD + "7" * 2_000_000 + "::8::3::9\n",
            6,
            "the line is longer than 131072 bytes",
        ),
        ("r.csv", HEADER + "7,8,3,9\n7,8,3\n", 3, "'7,8,3' does not have 4 fields"),
        ("r.csv", HEADER + "7,8,3,9\n7,,3,9\n", 3, "movieId '' is not an integer"),
        ("r.csv", HEADER + "7,8,3,9\n7,NA,3,9\n", 3, "movieId 'NA' is not an integer"),
        ("r.csv", HEADER + '7,8,3,9\n7,"8,3,9\n', 3, "unexpected end of data"),
        (
            "r.csv",
            HEADER + "7,8,3,9\n" + HEADER,
            3,
            "timestamp' is a second header",
        ),
        ("r.csv", HEADER.replace("timestamp", "when") + "7,8,3,9\n", 1, "no column has times"),
        ("r.csv", HEADER.replace("movieId", "what") + "7,8,3,9\n", 1, "is neither a row of user"),
    ],
)
def test_a_malformed_row_is_named_with_its_line_wherever_the_file_is_cut(
    tmp_path, name, content, line, message
):
    path = write(tmp_path, name, content)
    for block_bytes in (16, 1 << 20):
        if len(content) / block_bytes > 1000:
            continue
        with pytest.raises(UserError) as caught:
            read_table(path, block_bytes=block_bytes)
        assert str(caught.value).startswith(f"{path}:{line}: ")
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_file_that_is_one_long_line_is_refused_without_reading_it_whole(tmp_path):
    path = write(tmp_path, "ratings.dat", DAT + "1" * 10_000_000)
    with pytest.raises(UserError, match=r"ratings.dat:4: the line is longer"):
        read_table(path, block_bytes=1 << 16)


def test_a_folder_without_ratings_is_refused_with_what_is_wanted(tmp_path):
    write(tmp_path, "ratings.zip", "x")
    with pytest.raises(UserError, match=r"no ratings; expected ratings\.csv \(or \.tsv"):
        find_tables(folder_pattern(tmp_path), {})
    write(tmp_path, "ratings.dat", "")
    with pytest.raises(UserError, match=r"ratings\.dat: the file is empty"):
        find_tables(folder_pattern(tmp_path), {})


def test_a_file_with_a_header_alone_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"ratings.csv: the file holds a header and no ratings"):
        read_table(write(tmp_path, "ratings.csv", HEADER + "\n"))


@pytest.mark.skipif(not os.path.exists(REAL), reason="no MovieLens data here")
def test_real_ratings_are_read_in_full(tmp_path):
    with zipfile.ZipFile(REAL) as archive:
        archive.extract("ml-latest-small/ratings.csv", tmp_path)
    path = str(tmp_path / "ml-latest-small" / "ratings.csv")
    expected = np.loadtxt(path, delimiter=",", skiprows=1)
    rows = np.array(read_table(path, block_bytes=300_000))
    assert rows.shape == (100_004, 4)
    np.testing.assert_array_equal(rows, expected)


def test_a_plus_sign_before_stars_means_the_same_beside_a_bad_row_and_alone(tmp_path):
    content = b"1::2::+3.5::4\n"
    (tmp_path / "r.dat").write_bytes(content + b"x\n")
    table = table_of(tmp_path / "r.dat")
    alone, _ = read_range(table, 0, len(content))
    beside, bad = read_range(table, 0, len(content) + 2, max_bad_rows=1)
    assert alone.equals(beside) and bad.total == 1
