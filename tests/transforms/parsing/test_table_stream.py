import datetime
import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.transforms.tables import read_table, table_of
from transforms.base.errors import UserError
from transforms.parsing.table_stream import is_plain, open_table
from transforms.read_ratings import read_blocks

HEADER = "userId,movieId,rating,timestamp\n"
ROWS = [(at, 10 + at, 0.5 + at % 9 / 2, 978300760 + at) for at in range(3000)]
CSV = (HEADER + "".join(",".join(map(str, row)) + "\n" for row in ROWS)).encode()


def zst(content):
    return pa.compress(content, "zstd", asbytes=True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ratings.csv.gz", gzip.compress(CSV)),
        # As `cat a.gz b.gz` makes it.
        ("ratings.csv.gz", gzip.compress(CSV[:1000]) + gzip.compress(CSV[1000:])),
        ("ratings.csv.zst", zst(CSV)),
        ("ratings.csv", CSV.decode().encode("utf-16")),
        ("ratings.csv", b"\xfe\xff" + CSV.decode().encode("utf-16-be")),
        ("ratings.csv.gz", gzip.compress(CSV.decode().encode("utf-16"))),
    ],
)
def test_a_packed_file_has_the_same_rows(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert not is_plain(str(path))
    assert read_table(path, block_bytes=1000) == ROWS
    with open_table(str(path)) as lines:
        assert lines.read() == CSV


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path, row_group_size=700)
    return path


def test_parquet_has_the_same_rows_whatever_its_types(tmp_path):
    user, item, rating, time = zip(*ROWS, strict=True)
    path = parquet(tmp_path / "a.parquet", userId=user, movieId=item, rating=rating, timestamp=time)
    assert read_table(path) == ROWS
    path = parquet(
        tmp_path / "b.parquet",
        tags=[["a"]] * len(ROWS),
        user=pa.array(user, pa.int32()),
        item=pa.array(map(str, item)).dictionary_encode(),
        stars=pa.array(rating, pa.float32()),
        time=[datetime.datetime.fromtimestamp(t, datetime.UTC) for t in time],
    )
    assert table_of(path).times.name == "dates with a zone"
    assert read_table(path) == ROWS


def test_a_bad_row_of_a_packed_file_has_the_number_of_its_line(tmp_path):
    path = tmp_path / "ratings.csv.gz"
    path.write_bytes(gzip.compress(CSV + b"7,8,x,9\n"))
    with pytest.raises(UserError, match=r"gz:3002: rating 'x' is not a number"):
        read_table(path, block_bytes=1000)
    bad = [
        row for _, rows in read_blocks(table_of(path), 1000, max_bad_rows=1) for row in rows.first
    ]
    assert [row.offset for row in bad] == [len(CSV)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ratings.csv.gz", gzip.compress(CSV)[:-400]),
        ("ratings.csv.gz", CSV),
        ("ratings.csv.zst", zst(CSV)[:-400]),
        ("ratings.parquet", CSV),
        ("ratings.csv", CSV.decode().encode("utf-16") + b"\x00"),
        ("ratings.csv", CSV.decode().encode("utf-16") + b"\x00\xd8\x00\xd8"),
    ],
)
def test_a_damaged_file_is_refused_by_its_name(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"{name}: is damaged \(.*\); fetch it again"):
        read_table(path)


def test_a_long_line_of_a_packed_file_is_refused(tmp_path):
    path = tmp_path / "ratings.csv.gz"
    path.write_bytes(gzip.compress(CSV + b"1" * 10_000_000 + b"\n"))
    with pytest.raises(UserError, match="the line is longer than 131072 bytes"):
        read_table(path, block_bytes=1000)
