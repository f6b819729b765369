import dataclasses
import os
import subprocess
import sys
import threading

import pytest

from pipeline.datasets import folders
from pipeline.datasets.catalog import Catalog, Dataset
from pipeline.datasets.sources import Files, Generated, ZipArchive
from tests.pipeline.datasets.servers import Server, sha256, zip_of
from transforms.base.errors import UserError
from transforms.parsing.file_names import ratings_among

RATINGS = b"1::2::3::4\n"


def write_sample(folder):
    with open(os.path.join(folder, "ratings.dat"), "wb") as file:
        file.write(RATINGS)


class Case:
    """A catalog over a server with small.zip, a data root and a work folder."""

    def __init__(self, server, tmp_path):
        self.archive = zip_of({"small/ratings.dat": RATINGS})
        server.files = {"/small.zip": self.archive}
        names, pins = ("ratings.dat",), {"small.zip": sha256(self.archive)}
        archive = ZipArchive(server.url("/small.zip"), names, pins, 1 << 20)
        files = Files(server.url(""), pins)
        sample = Generated(write_sample)
        self.catalog = Catalog(
            datasets={
                "small": Dataset(folder="small", files=names, sources=(archive,)),
                "plain": Dataset(folder="plain", files=("small.zip",), sources=(files,)),
                "sample": Dataset(folder="made", files=names, sources=(sample,)),
            },
            own=ratings_among,
            own_files="ratings.csv or so",
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
def case(server, tmp_path):
    return Case(server, tmp_path)


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
    (case.root / place / "small.zip").write_bytes(case.archive)
    assert ratings(case.ensure("small", allow_download=False)) == RATINGS
    assert not case.warnings


def test_an_archive_may_lie_beside_the_data_root(case):
    (case.root.parent / "small.zip").write_bytes(case.archive)
    assert case.ensure("small", allow_download=False) == str(case.root / "small")
    assert not case.warnings


@pytest.mark.parametrize("inside", [True, False])
def test_a_folder_with_other_files_is_left_alone_and_named(case, inside):
    folder = case.root / "small"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    (folder if inside else case.root).joinpath("small.zip").write_bytes(case.archive)
    for _ in range(2):
        found = case.ensure("small", allow_download=False)
        assert found == str(case.work / "small") and ratings(found) == RATINGS
    line = f"{folder}: holds other files and is left alone; the data are in {case.work}/small"
    assert case.warnings == [line]
    assert sorted(os.listdir(folder)) == ["notes.txt", "small.zip"][: 1 + inside]


def test_a_part_of_a_data_set_is_not_passed_over(case):
    both = dataclasses.replace(case.catalog.datasets["small"], files=("ratings.dat", "movies.dat"))
    case.catalog = dataclasses.replace(
        case.catalog, datasets={"small": both}, own=lambda folder, names: []
    )
    (case.root / "small").mkdir(parents=True)
    (case.root / "small" / "ratings.dat").write_bytes(b"mine")
    with pytest.raises(UserError, match=r"small: holds a part .* no movies\.dat; put that there"):
        case.ensure("small")


def test_a_folder_called_as_a_file_of_the_data_set_is_in_the_way(case):
    # No name is missing: this is neither a part of the data set nor a folder of other files.
    (case.root / "small" / "ratings.dat").mkdir(parents=True)
    (case.root / "small.zip").write_bytes(case.archive)
    with pytest.raises(UserError, match=r"small: cannot write it .* remove what is in the way"):
        case.ensure("small", allow_download=False)
    assert not case.work.exists() and not case.warnings


def test_another_form_or_folder_of_a_data_set_is_the_data_set(case):
    small = dataclasses.replace(case.catalog.datasets["small"], also=("small2K",))
    case.catalog = dataclasses.replace(case.catalog, datasets={"small": small})
    for folder in ("small2K", "small"):
        (case.root / folder / "ratings").mkdir(parents=True)
        (case.root / folder / "ratings" / "part-0.csv.gz").write_text("mine")
        assert case.ensure("small", allow_download=False) == str(case.root / folder)


def test_a_path_is_a_data_set(case, monkeypatch):
    (case.root / "deep").mkdir(parents=True)
    for name in ("plays.csv", "deep/rating.tsv", "notes"):
        (case.root / name).write_text("mine")
    (case.root / "parts.parquet").mkdir()
    for name in ("plays.csv", "./plays.csv", "deep/", "../root/deep", "parts.parquet"):
        assert case.ensure(name) == f"{case.root}/{name}"
    path = str(case.root / "plays.csv")
    assert case.ensure(path) == path
    monkeypatch.chdir(case.root / "deep")
    assert case.ensure("./rating.tsv") == "./rating.tsv"
    assert case.ensure("gs://bucket/plays.csv") == "gs://bucket/plays.csv"
    with pytest.raises(
        UserError, match=r"notes: its name does not tell what it is; have it end in"
    ):
        case.ensure("../notes")
    with pytest.raises(UserError, match=r"dataset='deep/none\.csv': no such file, and no folder"):
        case.ensure("deep/none.csv")


def test_a_data_root_that_is_a_data_set_is_named_as_such(case):
    case.root.mkdir()
    (case.root / "ratings.csv").write_bytes(b"mine")
    message = (
        rf"root: ratings\.csv lies in the data root itself; .* {case.root.parent} --dataset root"
    )
    with pytest.raises(UserError, match=message):
        case.ensure("small", allow_download=False)
    with pytest.raises(UserError, match=message):
        case.catalog.check_root(str(case.root))
    assert case.ensure("small") == str(case.root / "small")
    case.catalog.check_root(str(case.root.parent))


def test_files_in_the_data_root_itself_are_taken_where_no_others_are_called_so(case):
    case.root.mkdir()
    (case.root / "ratings.dat").write_bytes(b"mine")
    assert case.ensure("small") == str(case.root / "small")
    loose = dataclasses.replace(case.catalog.datasets["sample"], loose=True)
    case.catalog = dataclasses.replace(case.catalog, datasets={"sample": loose})
    assert case.ensure("sample") == str(case.root)


def test_a_truncated_archive_put_by_hand_is_refused(case):
    case.root.mkdir()
    (case.root / "small.zip").write_bytes(case.archive[:-30])
    with pytest.raises(UserError, match=r"small\.zip: not a whole zip"):
        case.ensure("small", allow_download=False)
    assert not (case.root / "small").exists()


def test_plain_files_are_downloaded_one_by_one(case):
    assert os.listdir(case.ensure("plain")) == ["small.zip"]


def test_a_bad_certificate_is_one_warning_for_all_files(case, trusted):
    with Server(trusted.tls(expired=True), {"/1": b"1", "/2": b"2"}) as server:
        pins = {name: sha256(name.encode()) for name in ("1", "2")}
        files = Files(server.url(""), pins)
        plain = Dataset(folder="plain", files=("1", "2"), sources=(files,))
        case.catalog = dataclasses.replace(case.catalog, datasets={"plain": plain})
        case.ensure("plain")
    assert len(case.warnings) == 1


@pytest.mark.parametrize("name", ["small", "plain"])
def test_without_download_the_message_says_what_to_do(case, name):
    with pytest.raises(UserError, match=f"put the data there.*download {name} --data-root"):
        case.ensure(name, allow_download=False)


def test_an_unknown_name_gets_the_nearest(case):
    with pytest.raises(UserError, match=r"did you mean small\?.*needs ratings.csv or so in "):
        case.ensure("smal")


def test_a_read_only_root_is_left_alone(case):
    case.root.mkdir()
    (case.root / "small.zip").write_bytes(case.archive)
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
        "import sys, pipeline.datasets.movielens, pipeline.datasets.census;"
        f"sys.exit(bool({heavy} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
