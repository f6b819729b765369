import pytest

from pipeline.remedies import find_remedy

SAID = {
    "write failed: No space left on device": "Transform: the disk is full; free space",
    "[Errno 30] Read-only file system: '/out'": "Transform: /out cannot be written to; choose",
    "Cannot connect sqlite3 database: database is locked": "metadata.sqlite is locked by another",
    "Concurrent writes aborted after max number of retries.": "metadata.sqlite is locked",
    "file is not a database": "/out/metadata.sqlite is damaged; delete it and /out/artifacts",
    "corrupted record at 0": "a stored file is damaged; delete /out/artifacts and",
    "Error -3 while decompressing data: incorrect data check": "a stored file is damaged",
}


@pytest.mark.parametrize("said", SAID)
def test_a_fault_of_the_machine_is_one_line_with_its_remedy(said):
    outer = RuntimeError("in Beam [while running 'Run[Transform]']")
    outer.__cause__ = OSError(said)
    remedy = find_remedy(outer, "Transform", "/out")
    assert remedy is not None and SAID[said] in str(remedy) and "\n" not in str(remedy)


def test_a_fault_of_the_program_has_none():
    assert find_remedy(KeyError("user_id"), "Trainer", "/out") is None


def test_before_any_component_none_is_named():
    assert str(find_remedy(OSError("Disk quota exceeded"), None, "/out")).startswith("the disk is")
