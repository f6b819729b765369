import os

import pytest

from transforms.base.errors import UserError
from transforms.base.whole_file import output_file, whole_file


def test_a_file_is_there_once_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(str(path)) as partial, open(partial, "w") as file:
        file.write("all")
        assert not path.exists()
    assert path.read_text() == "all" and os.listdir(tmp_path) == ["a.txt"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), whole_file(str(path)) as partial:
        open(partial, "w").close()
        raise KeyError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_a_file_that_cannot_be_written_is_a_users_mistake(tmp_path):
    path = str(tmp_path / "missing" / "a.txt")
    with pytest.raises(UserError, match="cannot write it"), output_file(path) as partial:
        open(partial, "w").close()
    with pytest.raises(UserError, match="must be a file on this machine"), output_file("gs://b/a"):
        pass
