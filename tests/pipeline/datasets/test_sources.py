import os
import stat
import zipfile

import pytest

from pipeline.datasets import download
from pipeline.datasets.census import CENSUS
from pipeline.datasets.movielens import MOVIELENS
from pipeline.datasets.sources import Files, Request, ZipArchive, fill_from
from tests.pipeline.datasets.servers import Server, content, sha256, zip_of
from transforms.base.errors import UserError

MEMBERS = {"adult.data": b"39, State-gov\n" * 999, "adult.test": b"|1x3 Cross validator\n" * 99}
NAMES = tuple(MEMBERS)
ARCHIVE = zip_of({f"adult/{name}": content for name, content in MEMBERS.items()})
MEMBER_PINS = {name: sha256(content) for name, content in MEMBERS.items()}
PINS = {"archive": {"adult.zip": sha256(ARCHIVE)}, "members": MEMBER_PINS, "none": {}}
PAGE = b"<html>Please log in</html>"
DAMAGED = bytearray(ARCHIVE)
DAMAGED[100] ^= 1


class Case:
    """A folder to fill from servers, and the warnings."""

    def __init__(self, folder):
        self.parent = folder.parent
        self.root = str(folder)
        self.folder = os.path.join(self.root, "census")
        self.archive = os.path.join(self.root, "adult.zip")
        self.shelves = (self.root,)
        self.warnings = []

    def fill(self, *sources):
        """Returns the files that the sources bring."""
        request = Request(
            folder=self.folder,
            shelves=self.shelves,
            allow_download=True,
            progress=lambda done, total: None,
            warn=self.warnings.append,
        )
        assert fill_from(sources, request)
        return {name: content(os.path.join(self.folder, name)) for name in os.listdir(self.folder)}

    def refuse(self, *sources):
        """Returns the one line that says why nothing was filled."""
        with pytest.raises(UserError) as raised:
            self.fill(*sources)
        line = str(raised.value)
        assert line.startswith("cannot download census: http") and "\n" not in line
        assert set(os.listdir(self.root)) <= {"adult.zip.part", "adult.zip.part.tag"}
        return line


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)


CERTIFICATES = {
    "expired": ({"expired": True}, "certificate has expired"),
    "wrong host": ({"host": "127.0.0.2"}, "certificate is not valid for '127.0.0.1'"),
    "self-signed": ({"self_signed": True}, "signed certificate"),
}
FAULTS = {
    "404": {"status": 404},
    "page": {"files": {"/adult.zip": PAGE}},
    "wrong bytes": {"files": {"/adult.zip": bytes(DAMAGED)}},
    "cut": {"cut_after": 50, "ranges": False},
}
CAUSES = {
    "404": "the server answers 404 Not Found",
    "page": "a web page came instead of the file",
    "cut": f"the connection was cut after 50 of {len(ARCHIVE)} bytes",
    "wrong bytes": "not a whole zip file",
    "wrong bytes, archive": f"its SHA-256 begins with {sha256(DAMAGED)[:12]}, not ",
}


@pytest.fixture
def publisher(trusted, request):
    """A server of adult.zip with a fault."""
    fault = getattr(request, "param", None)
    certificate = CERTIFICATES[fault][0] if fault in CERTIFICATES else {}
    with Server(trusted.tls(**certificate), {"/adult.zip": ARCHIVE}) as running:
        running.fault = fault
        for name, value in FAULTS.get(fault, {}).items():
            setattr(running, name, value)
        yield running


@pytest.fixture
def mirror():
    with Server(files={"/copy/adult.zip": ARCHIVE}) as running:
        yield running


def archive(server, pins, path="/adult.zip"):
    return ZipArchive(server.url(path), NAMES, PINS[pins], 1 << 20)


@pytest.mark.parametrize("pins", ["archive", "members"])
@pytest.mark.parametrize("publisher", CERTIFICATES, indirect=True)
def test_with_a_pin_the_publisher_is_taken_at_its_bytes(case, publisher, mirror, pins):
    assert case.fill(archive(publisher, pins), archive(mirror, pins, "/copy/adult.zip")) == MEMBERS
    assert len(publisher.requests) == 1 and not mirror.requests
    (warning,) = case.warnings
    assert CERTIFICATES[publisher.fault][1] in warning


@pytest.mark.parametrize("pins", ["archive", "members"])
@pytest.mark.parametrize("publisher", FAULTS, indirect=True)
def test_with_a_pin_a_mirror_stands_in(case, publisher, mirror, pins):
    assert case.fill(archive(publisher, pins), archive(mirror, pins, "/copy/adult.zip")) == MEMBERS
    assert publisher.requests and mirror.requests and not case.warnings
    assert sorted(os.listdir(case.root)) == ["adult.zip", "census"]
    assert content(case.archive) == ARCHIVE


@pytest.mark.parametrize("pins", PINS)
@pytest.mark.parametrize("publisher", FAULTS, indirect=True)
def test_a_fault_without_a_mirror_is_one_line_and_leaves_nothing(case, publisher, pins):
    fault = publisher.fault
    line = case.refuse(archive(publisher, pins))
    assert CAUSES.get(f"{fault}, {pins}", CAUSES[fault]) in line
    # What came before a cut may be gone on with.
    left = ["adult.zip.part", "adult.zip.part.tag"] if fault == "cut" else []
    assert sorted(os.listdir(case.root)) == left


@pytest.mark.parametrize("publisher", CERTIFICATES, indirect=True)
def test_without_a_pin_a_bad_certificate_is_a_refusal(case, publisher):
    line = case.refuse(archive(publisher, "none"))
    assert "its certificate is refused (" in line and f"{CERTIFICATES[publisher.fault][1]})" in line
    assert not publisher.requests and not os.listdir(case.root) and not case.warnings


def test_without_a_pin_a_whole_archive_is_taken(case, publisher):
    assert case.fill(archive(publisher, "none")) == MEMBERS
    assert not case.warnings


def test_when_all_fail_one_line_has_every_cause(case, publisher, mirror):
    publisher.status, mirror.files = 404, {"/copy/adult.zip": PAGE}
    sources = archive(publisher, "archive"), archive(mirror, "archive", "/copy/adult.zip")
    assert case.refuse(*sources) == (
        f"cannot download census: {sources[0].url}: the server answers 404 Not Found; "
        f"{sources[1].url}: a web page came instead of the file; "
        f"try again, or put the data by hand at {case.archive}"
    )


@pytest.mark.parametrize("publisher", ["page"], indirect=True)
def test_plain_files_stand_in_for_an_archive(case, publisher, mirror):
    mirror.files = {f"/old/{name}": content for name, content in MEMBERS.items()}
    assert (
        case.fill(archive(publisher, "members"), Files(mirror.url("/old"), MEMBER_PINS)) == MEMBERS
    )
    assert os.listdir(case.root) == ["census"]


def test_other_members_than_the_pinned_ones_are_refused(case, mirror):
    other = zip_of(MEMBERS | {"adult.test": b"other"})
    mirror.files = {"/adult.zip": other, "/old/adult.data": MEMBERS["adult.data"]}
    line = case.refuse(archive(mirror, "members"), Files(mirror.url("/old"), MEMBER_PINS))
    pin = MEMBER_PINS["adult.test"][:12]
    assert line == (
        f"cannot download census: {mirror.url('/adult.zip')}: adult.test in it: its SHA-256 begins "
        f"with {sha256(b'other')[:12]}, not {pin} as published; "
        f"{mirror.url('/old/adult.test')}: the server answers 404 Not Found; "
        f"try again, or put the data by hand at {case.archive}, "
        f"or at {case.folder}/adult.data and {case.folder}/adult.test"
    )
    assert not os.listdir(case.root)


def link(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("entry", "data", "reason"),
    [
        ("../../escaped", b"x", "leads out of the folder"),
        ("/tmp/escaped", b"x", "leads out of the folder"),
        (link("adult/names"), b"/etc/passwd", "a link or a special file"),
        ("adult/names", bytes(32 << 20), "more than 100 times its size"),
    ],
    ids=["parent", "absolute", "link", "bomb"],
)
def test_an_unsafe_archive_leaves_nothing(case, mirror, entry, data, reason):
    mirror.files = {"/adult.zip": zip_of(MEMBERS | {entry: data})}
    assert reason in case.refuse(archive(mirror, "none"))
    assert not os.listdir(case.root) and not list(case.parent.rglob("escaped"))


@pytest.mark.parametrize("pins", PINS)
def test_an_archive_put_by_hand_is_used_and_compared_with_its_pins(case, mirror, pins):
    mine = MEMBERS | {"adult.data": b"mine"}
    with open(case.archive, "wb") as file:
        file.write(zip_of(mine))
    assert case.fill(archive(mirror, pins)) == mine
    assert len(case.warnings) == (pins != "none") and not mirror.requests
    assert all(case.archive in line and line.endswith("using it") for line in case.warnings)


def test_of_two_archives_put_by_hand_that_of_the_first_shelf_is_taken(case, mirror, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    case.shelves = (case.root, str(other))
    (other / "adult.zip").write_bytes(zip_of(MEMBERS | {"adult.data": b"another"}))
    with open(case.archive, "wb") as file:
        file.write(ARCHIVE)
    assert case.fill(archive(mirror, "none")) == MEMBERS


def test_where_the_archive_of_adult_is_gone_its_files_are_looked_for_one_by_one():
    first, second = CENSUS.datasets["census"].sources
    assert first.url.endswith("/adult.zip") and {*first.members} == {*second.pins}


def test_the_pins_are_those_of_the_published_files(real_data):
    for source in CENSUS.datasets["census"].sources:
        for name, pin in source.pins.items():
            assert sha256(content(os.path.join(real_data, "census", name))) == pin


def test_only_a_data_set_with_a_pin_has_a_mirror():
    known = MOVIELENS.datasets
    mirrored = [name for name, dataset in known.items() if len(dataset.sources) > 1]
    assert mirrored == ["ml-100k", "ml-1m", "ml-10m", "ml-20m"]
    for name in mirrored:
        assert all(list(s.pins) == [f"{name}.zip"] for s in known[name].sources)
