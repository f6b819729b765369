"""Random damage to good files: read as a plain reading in Python has it, or refused."""

import functools
import random

import pytest

from tests.transforms import plain_readers as plain
from tests.transforms.tables import table_of
from transforms.base.errors import UserError
from transforms.parsing import parse_ratings as parse_ratings_module
from transforms.parsing.parse_ratings import parse_ratings
from transforms.parsing.rating_rules import STARS
from transforms.parsing.read_census import parse_census
from transforms.parsing.read_movies import parse_movies
from transforms.read_ratings import read_range

MANY = 10**6
DAT = b"1::1193::5::978300760\n1::661::3::978302109\n22::914::4.5::978301968\n" * 2
CSV = (
    b"userId,movieId,rating,timestamp,note\n"
    b'1,31,2.5,1260759144,a\n1,"1029",3.0,1260759179,"b, c"\n7,1061,.5,0,\n12,9,5,9,d""e\n'
)
MOVIES_DAT = "1::Toy Story (1995)::Animation|Comedy\n2::Été:: (1996)::Drama\n3::C::War\n".encode(
    "latin-1"
)
MOVIES_CSV = 'movieId,title,genres\n1,"Été, ""L"" (1995)",Drama|War\n2,B,War\n3,"C\nD",\n'.encode()
PERSON = (
    b"39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, "
    b"Male, 2174, 0, 40, United-States, <=50K"
)
CENSUS = b"|1x3 Cross validator\n" + PERSON + b".\n" + PERSON.replace(b"<=", b">") + b"\n\n"
NAMES = (
    b"age,workclass,fnlwgt,education,education.num,marital.status,occupation,relationship,race,"
    b"sex,capital.gain,capital.loss,hours.per.week,native.country,income\n"
)
# Bytes and pieces that mean something in one format or another.
PIECES = [bytes([byte]) for byte in b"\0\r\n\t\v\x1c \"',:;|.-+0x9eE5?<=>K\\\xff\x85\xa0"]
PIECES += [b"\r\n", b"::", b'""', b"\xef\xbb\xbf", b"\xc2\xa0", b"nan", b"inf", b"0x1F", b"1e3"]
PIECES += [b"9" * 19, b"0" * 30, b",,", b"\n\n", b"\xed\xa0\x80", "é".encode(), "\u0663".encode()]


def damage(content, rng):
    """Returns the content with one to four flips, cuts, repeats, moves or inserts."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((1, 1, 2, 8, 40)))
        kind = rng.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = data[at:end]
        elif kind == 3:
            piece = data[at:end]
            del data[at:end]
            to = rng.randrange(len(data) + 1)
            data[to:to] = piece
        elif kind == 4:
            data[at:end] = rng.choice(PIECES)
        elif kind == 5:
            data[at:at] = rng.choice(PIECES)
        else:
            del data[at if rng.random() < 0.3 else len(data) :]
    return bytes(data)


def agree(found, expected, parse_strictly):
    """Asserts that rows and bad rows are as expected, and that bad rows are refused unasked."""
    rows, bad = found
    good, offsets = expected
    assert list(zip(*rows.to_pydict().values(), strict=True)) == good
    assert [row.offset for row in bad.first] == offsets
    assert bad.total == len(offsets)
    if not offsets:
        return "right"
    with pytest.raises(UserError, match=r":\d+: .*; (mend|bring|write|fill|export) ") as caught:
        parse_strictly()
    assert "\n" not in str(caught.value)
    return "refused"


def check_dat(data, path):
    table = table_of(f"{path}.dat")
    return agree(
        parse_ratings(data, 7, table, STARS, MANY),
        plain.ratings(data, 7, list(table.names), "::"),
        lambda: parse_ratings(data, 0, table, STARS, 0),
    )


def check_csv(data, path):
    table = table_of(f"{path}.csv")
    _, _, rows = data.partition(b"\n")
    return agree(
        parse_ratings(rows, 7, table, STARS, MANY),
        plain.ratings(rows, 7, list(table.names), ","),
        lambda: parse_ratings(rows, 0, table, STARS, 0),
    )


def check_census(data, path):
    return agree(
        parse_census(data, f"{path}.data", MANY),
        plain.census(data),
        lambda: parse_census(data, f"{path}.data", 0),
    )


def check_named_census(data, path):
    # Quotes mean something here; without them rows are those of a file without names.
    rows = PERSON + b"\n" + data.replace(b'"', b"'")
    good, offsets = plain.census(rows)
    return agree(
        parse_census(NAMES + rows, f"{path}.data", MANY),
        (good, [len(NAMES) + offset for offset in offsets]),
        lambda: parse_census(NAMES + rows, f"{path}.data", 0),
    )


def check_movies(data, path, extension, read):
    try:
        expected = read(data)
    except ValueError:
        with pytest.raises(UserError) as caught:
            parse_movies(path + extension, data)
        assert "\n" not in str(caught.value)
        return "refused"
    assert [movie[1:] for movie in parse_movies(path + extension, data)] == expected
    return "right"


def check_movies_dat(data, path):
    return check_movies(data, path, ".dat", plain.movies_dat)


def check_movies_csv(data, path):
    return check_movies(data, path, ".csv", plain.movies_csv)


def judge(check, data, path):
    """Returns how a block was judged; a wrong one is shown by pytest as `data`."""
    try:
        return check(data, path)
    except UserError:
        return "refused"


@pytest.mark.parametrize(
    "blocks", [400, pytest.param(20_000, marks=pytest.mark.slow)], ids=["few", "many"]
)
@pytest.mark.parametrize(
    ("check", "content"),
    [
        (check_dat, DAT),
        (check_csv, CSV),
        (check_movies_dat, MOVIES_DAT),
        (check_movies_csv, MOVIES_CSV),
        (check_census, CENSUS),
        (check_named_census, CENSUS),
    ],
    ids=["ratings.dat", "ratings.csv", "movies.dat", "movies.csv", "census", "named census"],
)
def test_damaged_blocks_are_read_right_or_refused(tmp_path, tally, check, content, blocks):
    path = str(tmp_path / "file")
    for extension in (".dat", ".csv", ".data"):
        # Refusals count the lines before the row in the file itself.
        (tmp_path / f"file{extension}").write_bytes(content)
    rng = random.Random(blocks)
    for _ in range(blocks):
        tally.judge("fuzzed blocks", functools.partial(judge, check, damage(content, rng), path))


def test_a_damaged_header_is_understood_or_refused(tmp_path, tally):
    path = str(tmp_path / "adult.csv")
    rows = PERSON + b"\n" + PERSON.replace(b"Male", b"Female") + b"\n"
    expected, _ = parse_census(rows, path, 0)
    rng = random.Random(7)

    def check(data):
        (tmp_path / "adult.csv").write_bytes(data)
        try:
            found, _ = parse_census(data, path, 0)
        except UserError as error:
            assert str(error).startswith(path) and "\n" not in str(error)
            return "refused"
        assert found.equals(expected), data
        return "right"

    for _ in range(400):
        header = damage(NAMES, rng).strip(b"\n") + b"\n"
        tally.judge("damaged headers", functools.partial(check, header + rows))


def read_cut(path, block_bytes):
    """Returns all rows and the places of bad ones, read block by block; None for a refusal."""
    rows, places = [], []
    try:
        table = table_of(path)
        for start in range(table.start, table.size, block_bytes):
            ratings, bad = read_range(
                table, start, min(start + block_bytes, table.size), STARS, MANY
            )
            rows.extend(zip(*ratings.to_pydict().values(), strict=True))
            places.extend(row.offset for row in bad.first)
    except UserError:
        return None
    return rows, places


@pytest.mark.parametrize(
    "files", [150, pytest.param(5_000, marks=pytest.mark.slow)], ids=["few", "many"]
)
@pytest.mark.parametrize(("name", "content"), [("r.dat", DAT), ("r.csv", CSV)])
def test_where_a_damaged_file_is_cut_does_not_matter(
    tmp_path, tally, monkeypatch, name, content, files
):
    path = tmp_path / name
    rng = random.Random(files)

    def check():
        whole = read_cut(path, len(data))
        monkeypatch.setattr(parse_ratings_module, "_LOOK_BYTES", rng.choice((1, 30, 1000)))
        cut = read_cut(path, rng.randint(1, len(data)))
        monkeypatch.undo()
        # No rows at all are refused by the reader of the whole, and later on otherwise.
        assert cut == whole or (whole is None and cut == ([], [])), data
        return "refused" if whole is None or whole[1] else "right"

    for _ in range(files):
        data = damage(content, rng) or b"\n"
        path.write_bytes(data)
        tally.judge("fuzzed files in blocks", check)
