import errno
import os

import pytest

from pipeline.run.remedies import find_remedy

SAID = {
    "[Errno 28] No space left on device": "Transform: the disk is full; free space, and run",
    "Cannot connect sqlite3 database: database is locked": "metadata.sqlite is locked by another",
    "Concurrent writes aborted after max number of retries.": "metadata.sqlite is locked",
    "file is not a database": "/out/metadata.sqlite is damaged; delete it and /out/artifacts",
    "DataLossError: at 12": "a stored file is damaged",
    "truncated record at 24": "a stored file is damaged",
    "database disk image is malformed": "/out/metadata.sqlite is damaged",
    "corrupted record at 0": "a stored file is damaged; delete /out/artifacts and",
    "Error -3 while decompressing data: incorrect data check": "a stored file is damaged",
}


@pytest.mark.parametrize("said", SAID)
def test_a_fault_of_the_machine_is_one_line_with_its_remedy(said):
    outer = RuntimeError("in Beam [while running 'Run[Transform]']")
    outer.__cause__ = OSError(said)
    remedy = find_remedy(outer, "Transform", "/out")
    assert remedy is not None and SAID[said] in str(remedy) and "\n" not in str(remedy)


FULL, DENIED = "No space left on device", "Permission denied"
# What names a file, as each part of the stack says it, and the file.
NAMED = {
    "Python": (OSError(errno.EACCES, DENIED, "/out/a b"), DENIED, "/out/a b"),
    "Python's text": (
        RuntimeError(f"OSError: [Errno 28] {FULL}: '/out/a b' [x]"),
        FULL,
        "/out/a b",
    ),
    "TensorFlow": (
        RuntimeError(f"{{{{node /job:a}}}} /out/a.temp; {FULL} [Op:S]"),
        FULL,
        "/out/a.temp",
    ),
    "a read-only disk": (
        OSError(errno.EROFS, "Read-only file system", "/out/a b"),
        "Read-only file system",
        "/out/a b",
    ),
    "a full quota": (
        OSError(errno.EDQUOT, "Disk quota exceeded", "/out/a b"),
        "Disk quota exceeded",
        "/out/a b",
    ),
    "Arrow": (
        OSError(f"Failed to open local file '/out/a b'. Detail: [errno 13] {DENIED}"),
        DENIED,
        "/out/a b",
    ),
    "Beam": (
        OSError(f"Copy failed with {{('/in', '/out/a b'): OSError(OSError(13, '{DENIED}'))}}"),
        DENIED,
        "/out/a b",
    ),
}


@pytest.mark.parametrize("who", NAMED)
def test_the_file_at_fault_is_named(who):
    error, sign, file = NAMED[who]
    outer = RuntimeError("in Beam")
    outer.__cause__ = error
    assert str(find_remedy(outer, "Trainer", "/out")).startswith(f"Trainer: {file}: {sign}; ")


def test_the_remedy_fits_where_the_file_lies(monkeypatch):
    monkeypatch.setenv("TMPDIR", "/scratch")
    remedies = {
        "/out/ncf/a": " or choose another folder with --output-root",
        "/out/ncf2/a": "",
        "/data/ml-1m/ratings.dat": "",
        "/scratch/a": " or set TMPDIR to another folder",
    }
    for file, other in remedies.items():
        full, denied = (
            str(find_remedy(OSError(number, os.strerror(number), file), None, "/out/ncf"))
            for number in (errno.ENOSPC, errno.EACCES)
        )
        assert full == f"{file}: {FULL}; free space{other}, and run again"
        assert denied == f"{file}: {DENIED}; make it accessible{other}, and run again"


def test_a_service_that_denies_something_is_none_of_the_disks():
    assert find_remedy(RuntimeError(f"gs://bucket/a: 403 {DENIED}"), None, "/out") is None


def test_a_fault_of_the_program_has_none():
    assert find_remedy(KeyError("user_id"), "Trainer", "/out") is None


def test_before_any_component_none_is_named():
    assert str(find_remedy(OSError("Disk quota exceeded"), None, "/out")).startswith("the disk is")
