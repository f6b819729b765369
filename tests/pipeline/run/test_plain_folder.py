import os

import pytest

from pipeline.run.plain_folder import plain_folder
from transforms.base.errors import UserError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("name", ["plain", "50% {a,b} é~#$&'", "-x"])
def test_a_folder_whose_name_is_no_pattern_is_what_it_is(name, tmp_path, cache):
    assert plain_folder(str(tmp_path / name), make=True) == str(tmp_path / name)
    assert plain_folder(name) == name
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["o [1] 50%?", "a*", "back\\slash", "[x]/results"])
def test_one_whose_name_is_a_pattern_has_a_link_of_the_same_name_each_time(name, tmp_path, cache):
    folder = tmp_path / name
    link = plain_folder(str(folder), make=True)
    assert os.path.dirname(link) == str(cache / "tfx-recommenders")
    assert not set(link) & set("*?[\\") and os.path.realpath(link) == str(folder)
    assert os.path.isdir(folder) and plain_folder(str(folder)) == link
    other = plain_folder(f"{folder}?", make=True)
    assert os.path.realpath(other) == f"{folder}?" != os.path.realpath(link)


def test_where_the_user_stands_counts(tmp_path, monkeypatch):
    (tmp_path / "[mine]").mkdir()
    monkeypatch.chdir(tmp_path / "[mine]")
    assert os.path.realpath(plain_folder("output", make=True)) == str(tmp_path / "[mine]/output")


def test_a_look_makes_no_folder(tmp_path):
    plain_folder(str(tmp_path / "a?"))
    assert os.listdir(tmp_path) == ["cache"]


@pytest.mark.parametrize("place", ["file", "[cache]"])
def test_where_no_link_can_be_the_character_is_named(place, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / place))
    with pytest.raises(UserError, match=r"/a\?: Beam and TensorFlow take '\?' in it for a pattern"):
        plain_folder(str(tmp_path / "a?"), make=True)
