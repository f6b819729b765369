import functools
import hashlib
import http.server
import os
import stat
import subprocess
import sys
import threading
import zipfile

import pytest

from components.data_files import folders
from components.data_files.catalog import Catalog, Dataset, Files, Generated, ZipArchive
from transforms.errors import UserError

RATINGS = b"1::2::3::4\n"


def write_sample(folder):
    with open(os.path.join(folder, "ratings.dat"), "wb") as file:
        file.write(RATINGS)


@pytest.fixture
def origin(tmp_path):
    """A web server's folder with small.zip and its MD5; also the address."""
    folder = tmp_path / "origin"
    folder.mkdir()
    with zipfile.ZipFile(folder / "small.zip", "w") as archive:
        archive.writestr("small/ratings.dat", RATINGS)
    digest = hashlib.md5((folder / "small.zip").read_bytes()).hexdigest()
    (folder / "small.zip.md5").write_text(f"{digest}  small.zip\n")
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Case:
    """A catalog over `origin`, a data root and a work folder."""

    def __init__(self, origin, tmp_path):
        self.origin, url = origin
        archive = self.origin / "small.zip"
        self.md5 = hashlib.md5(archive.read_bytes()).hexdigest()
        names = ("ratings.dat",)
        files = Files(url, {"small.zip": self.md5})
        self.catalog = Catalog(
            datasets={
                "small": Dataset(
                    folder="small",
                    files=names,
                    source=ZipArchive(f"{url}/small.zip", self.md5, names),
                ),
                "plain": Dataset(folder="plain", files=("small.zip",), source=files),
                "sample": Dataset(folder="made", files=names, source=Generated(write_sample)),
            },
            own=(("ratings.csv",), ("ratings.dat",)),
            shelf="shelf",
        )
        self.root = tmp_path / "root"
        self.work = tmp_path / "work"
        self.warnings = []

    def ensure(self, name, root=None, **options):
        return self.catalog.ensure(
            name,
            str(root or self.root),
            work_dir=str(self.work),
            warn=self.warnings.append,
            **options,
        )


@pytest.fixture
def case(origin, tmp_path):
    return Case(origin, tmp_path)


def ratings(folder):
    with open(os.path.join(folder, "ratings.dat"), "rb") as file:
        return file.read()


def test_downloads_verifies_and_unpacks(case):
    seen = []
    folder = case.ensure("small", progress=lambda done, total: seen.append((done, total)))
    assert folder == str(case.root / "small") and ratings(folder) == RATINGS
    assert seen and not case.warnings
    visible = [name for name in os.listdir(case.root) if not name.startswith(".")]
    assert sorted(visible) == ["small", "small.zip"]


def test_files_that_are_there_are_taken_as_they_are(case):
    for place in ("small", "shelf/small", "other"):
        folder = case.root / place
        folder.mkdir(parents=True)
        (folder / "ratings.dat").write_bytes(b"mine")
        assert case.ensure(os.path.basename(place), allow_download=False) == str(folder)
        (folder / "ratings.dat").unlink()
        folder.rmdir()


@pytest.mark.parametrize("place", ["", "shelf"])
def test_an_archive_put_by_hand_is_unpacked(case, place):
    (case.root / place).mkdir(parents=True)
    (case.root / place / "small.zip").write_bytes((case.origin / "small.zip").read_bytes())
    assert ratings(case.ensure("small", allow_download=False)) == RATINGS
    assert not case.warnings


def test_another_archive_than_the_published_one_is_used_with_a_warning(case):
    case.root.mkdir()
    with zipfile.ZipFile(case.root / "small.zip", "w") as archive:
        archive.writestr("ratings.dat", b"other")
    assert ratings(case.ensure("small", allow_download=False)) == b"other"
    (warning,) = case.warnings
    assert case.md5 in warning and "\n" not in warning


def test_a_truncated_archive_put_by_hand_is_refused(case):
    case.root.mkdir()
    (case.root / "small.zip").write_bytes((case.origin / "small.zip").read_bytes()[:-30])
    with pytest.raises(UserError, match=r"small\.zip: not a whole zip"):
        case.ensure("small", allow_download=False)
    assert not (case.root / "small").exists()


def test_a_download_with_the_wrong_md5_is_refused(case):
    (case.origin / "small.zip.md5").write_text("0" * 32)
    with pytest.raises(UserError, match="its MD5 is"):
        case.ensure("small")
    assert not (case.root / "small").exists() and not (case.root / "small.zip").exists()


def link(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("entry", "data", "reason"),
    [
        ("../../escaped", b"x", "leads out of the folder"),
        ("/tmp/escaped", b"x", "leads out of the folder"),
        (link("small/movies.dat"), b"/etc/passwd", "a link or a special file"),
        ("small/movies.dat", bytes(32 << 20), "more than 100 times its size"),
    ],
    ids=["parent", "absolute", "link", "bomb"],
)
def test_a_downloaded_archive_that_is_unsafe_leaves_no_data(case, tmp_path, entry, data, reason):
    archive = case.origin / "small.zip"
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(entry, data)
    digest = hashlib.md5(archive.read_bytes()).hexdigest()
    (case.origin / "small.zip.md5").write_text(digest)
    with pytest.raises(UserError, match=reason) as caught:
        case.ensure("small")
    assert "\n" not in str(caught.value)
    visible = [name for name in os.listdir(case.root) if not name.startswith(".")]
    assert visible == ["small.zip"]
    assert not list(tmp_path.rglob("escaped"))


def test_the_frozen_md5_stands_in_for_one_that_is_not_served(case):
    (case.origin / "small.zip.md5").unlink()
    assert ratings(case.ensure("small")) == RATINGS
    assert not case.warnings


def test_plain_files_are_downloaded_one_by_one(case):
    assert os.listdir(case.ensure("plain")) == ["small.zip"]


@pytest.mark.parametrize("name", ["small", "plain"])
def test_without_download_the_message_says_what_to_do(case, name):
    with pytest.raises(UserError, match=f"put the data there.*download {name} --data-root"):
        case.ensure(name, allow_download=False)


def test_an_unknown_name_gets_the_nearest(case):
    with pytest.raises(UserError, match=r"did you mean small\?.*ratings.csv or ratings.dat"):
        case.ensure("smal")


def test_a_read_only_root_is_left_alone(case):
    case.root.mkdir()
    (case.root / "small.zip").write_bytes((case.origin / "small.zip").read_bytes())
    case.root.chmod(0o555)
    for name, folder in (("small", "small"), ("sample", "made")):
        assert case.ensure(name, allow_download=False) == str(case.work / folder)
    assert os.listdir(case.root) == ["small.zip"]
    assert case.ensure("small", allow_download=False) == str(case.work / "small")


def test_object_storage_is_not_looked_at(case):
    assert case.ensure("small", "gs://bucket/data/") == "gs://bucket/data/small"
    assert case.ensure("mine", "gs://bucket/data") == "gs://bucket/data/mine"
    assert case.ensure("sample", "gs://bucket/data") == str(case.work / "made")


def test_a_killed_generation_is_not_taken_for_whole(case):
    left = case.root / ".made.part"
    left.mkdir(parents=True)
    (left / "ratings.dat").write_bytes(b"1::")
    assert ratings(case.ensure("sample")) == RATINGS
    assert not left.exists()


def test_a_failed_generation_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), folders.new_folder(str(tmp_path / "made")) as partial:
        write_sample(partial)
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_processes_that_want_the_same_files_wait_for_each_other(case):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(ratings(case.ensure("small"))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [RATINGS] * 8


def test_data_sets_are_known_without_the_heavy_libraries():
    heavy = "{'numpy', 'tensorflow', 'apache_beam', 'tfx', 'pyarrow'}"
    code = (
        "import sys, components.movielens_gen.datasets, components.census_gen.datasets;"
        f"sys.exit(bool({heavy} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
