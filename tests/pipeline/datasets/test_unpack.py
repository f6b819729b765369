import os
import random
import shutil
import stat
import zipfile

import pytest

from pipeline.datasets import unpack
from pipeline.datasets.unpack import unpack_zip
from transforms.base.errors import UserError

RATINGS = b"".join(b"%d::%d::5::97830%d\n" % (i, i * 7, i) for i in range(2000))
GOOD = {"ml-1m/": b"", "ml-1m/ratings.dat": RATINGS, "ml-1m/movies.dat": b"1::A::War\n"}
NAMES = ("ratings.dat", "movies.dat")
MOST = 1 << 30


@pytest.fixture
def archive(tmp_path):
    return str(tmp_path / "ml-1m.zip")


def write_zip(path, entries, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def refuse(archive, reason):
    folder = archive.removesuffix(".zip")
    with pytest.raises(UserError) as raised:
        unpack_zip(archive, folder, NAMES, MOST)
    message = str(raised.value)
    assert archive in message and reason in message and "\n" not in message
    assert os.listdir(os.path.dirname(archive)) == ["ml-1m.zip"]


def test_unpacks_only_the_named_files(archive, tmp_path):
    write_zip(archive, GOOD | {"ml-1m/README": b"read me", "__MACOSX/._ratings.dat": b""})
    unpack_zip(archive, str(tmp_path / "out"), NAMES, MOST)
    assert sorted(os.listdir(tmp_path)) == ["ml-1m.zip", "out"]
    assert {f.name: f.read_bytes() for f in (tmp_path / "out").iterdir()} == {
        "ratings.dat": RATINGS,
        "movies.dat": b"1::A::War\n",
    }


def test_removes_what_a_killed_run_left(archive, tmp_path):
    write_zip(archive, GOOD)
    left = tmp_path / ".ml-1m.part"
    left.mkdir()
    (left / "ratings.dat").write_bytes(b"1::1")
    unpack_zip(archive, str(tmp_path / "ml-1m"), NAMES, MOST)
    assert sorted(os.listdir(tmp_path)) == ["ml-1m", "ml-1m.zip"]
    assert (tmp_path / "ml-1m" / "ratings.dat").read_bytes() == RATINGS


@pytest.mark.parametrize(
    "name", ["../ratings.dat", "ml-1m/../../x", "/etc/x", "..\\x", "C:\\x", "\\x"]
)
def test_refuses_a_name_that_leads_out(archive, name):
    write_zip(archive, GOOD | {name: b"1"})
    refuse(archive, "leads out of the folder")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK])
def test_refuses_links_and_special_files(archive, kind):
    write_zip(archive, GOOD)
    with zipfile.ZipFile(archive, "a") as opened:
        entry = zipfile.ZipInfo("ml-1m/link")
        entry.external_attr = (kind | 0o777) << 16
        opened.writestr(entry, "/etc/passwd")
    refuse(archive, "a link or a special file")


@pytest.mark.parametrize("kind", [0, stat.S_IFREG])
def test_files_may_have_the_type_that_unix_gives_them_or_none(archive, tmp_path, kind):
    with zipfile.ZipFile(archive, "w") as opened:
        for name, content in GOOD.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (kind | 0o644) << 16
            opened.writestr(entry, content)
    unpack_zip(archive, str(tmp_path / "out"), NAMES, MOST)
    assert (tmp_path / "out" / "ratings.dat").read_bytes() == RATINGS


def test_refuses_a_bomb_by_its_ratio(archive):
    write_zip(archive, GOOD | {"ml-1m/bomb": bytes(17 << 20)})
    refuse(archive, "more than 100 times its size")


def test_a_small_file_may_be_compressed_as_much_as_it_likes(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "_SMALL", 1 << 16)
    write_zip(archive, GOOD | {"ml-1m/zeros": bytes(1 << 16)})
    unpack_zip(archive, str(tmp_path / "out"), NAMES, MOST)
    shutil.rmtree(tmp_path / "out")
    write_zip(archive, GOOD | {"ml-1m/zeros": bytes((1 << 16) + 1)})
    refuse(archive, "more than 100 times its size")


def test_a_large_file_may_be_compressed_as_text_is(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "_SMALL", 1 << 10)
    write_zip(archive, GOOD | {"ml-1m/text": "".join(map(str, range(20_000))).encode()})
    unpack_zip(archive, str(tmp_path / "out"), NAMES, MOST)


def test_refuses_a_bomb_by_its_size(archive, tmp_path):
    size = sum(map(len, GOOD.values()))
    write_zip(archive, GOOD)
    unpack_zip(archive, str(tmp_path / "out"), NAMES, size)
    with pytest.raises(UserError, match=f"would unpack to {size} bytes, more than {size - 1}"):
        unpack_zip(archive, str(tmp_path / "less"), NAMES, size - 1)
    assert not (tmp_path / "less").exists()


def test_writes_no_more_than_an_entry_declares(archive):
    write_zip(archive, {"movies.dat": b"1::A::War\n", "ratings.dat": RATINGS})
    with open(archive, "rb") as file:
        content = bytearray(file.read())
    size = len(RATINGS).to_bytes(4, "little")
    # The sizes in the local header and in the directory.
    assert content.count(size) == 2
    with open(archive, "wb") as file:
        file.write(content.replace(size, (10).to_bytes(4, "little")))
    refuse(archive, "not a whole zip file")


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"ratings.dat": RATINGS}, "holds no movies.dat"),
        (GOOD | {"other/ratings.dat": b"1"}, "holds ratings.dat twice"),
    ],
)
def test_refuses_other_files_than_expected(archive, entries, reason):
    write_zip(archive, entries)
    refuse(archive, reason)


def test_refuses_other_compressions(archive):
    write_zip(archive, GOOD, zipfile.ZIP_LZMA)
    refuse(archive, "not compressed by deflate")


def test_refuses_a_folder_that_holds_other_files(archive, tmp_path):
    write_zip(archive, GOOD)
    (tmp_path / "ml-1m").mkdir()
    (tmp_path / "ml-1m" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=f"^{tmp_path}/ml-1m: cannot write it"):
        unpack_zip(archive, str(tmp_path / "ml-1m"), NAMES, MOST)
    assert os.listdir(tmp_path / "ml-1m") == ["notes.txt"]


def test_refuses_a_zip_cut_anywhere(archive):
    write_zip(archive, GOOD)
    with open(archive, "rb") as file:
        whole = file.read()
    for size in [0, 1, 21, 22, *range(100, len(whole), 97), len(whole) - 1]:
        with open(archive, "wb") as file:
            file.write(whole[:size])
        refuse(archive, "not a whole zip file")


def test_a_damaged_zip_gives_the_right_files_or_one_line(archive, tmp_path):
    write_zip(archive, GOOD)
    with open(archive, "rb") as file:
        whole = file.read()
    rng = random.Random(0)
    refused = 0
    for attempt in range(150):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 1, 4])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with open(archive, "wb") as file:
            file.write(damaged)
        out = tmp_path / f"out{attempt}"
        try:
            unpack_zip(archive, str(out), NAMES, MOST)
        except UserError as error:
            assert archive in str(error) or str(out) in str(error)
            assert not out.exists()
            refused += 1
        else:
            assert (out / "ratings.dat").read_bytes() == RATINGS
    assert refused > 100
