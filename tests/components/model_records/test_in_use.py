import json
import os
import sys

import pytest
from tfx.dsl.io import fileio

from components.model_records.in_use import find_baseline, model_in_use, served_models, versions
from transforms.base.errors import UserError


@pytest.fixture
def push(tmp_path):
    """Puts a model into the serving folder; returns its name."""

    def put(version, content, record=None):
        folder = tmp_path / str(version)
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(b"the same graph")
        (folder / "fingerprint.pb").write_bytes(content)
        if record is not None:
            (folder / "record.json").write_text(json.dumps(record))
        return next(served_models(str(tmp_path))).name

    return put


def test_the_newest_whole_model_is_in_use(tmp_path, push):
    serving = str(tmp_path)
    assert model_in_use(os.path.join(serving, "none")) is None
    push(9, b"old")
    push(10, b"new", {"parent": ""})
    (tmp_path / "11").mkdir()  # A push that was killed.
    (tmp_path / "11" / "record.json").write_text("{}")
    (tmp_path / "99.part").mkdir()
    (tmp_path / "99.part" / "saved_model.pb").touch()
    model = model_in_use(serving)
    assert model.folder == os.path.join(serving, "10") and model.record == {"parent": ""}
    assert [os.path.basename(model.folder) for model in served_models(serving)] == ["10", "9"]


def test_a_model_is_told_by_its_weights_and_not_its_graph_alone(push):
    assert push(1, b"some weights").partition(":")[2] != push(2, b"others").partition(":")[2]


def test_a_model_without_a_fingerprint_is_told_by_its_graph(tmp_path):
    def put(version, graph):
        (tmp_path / version).mkdir()
        (tmp_path / version / "saved_model.pb").write_bytes(graph)
        return model_in_use(str(tmp_path)).identity

    assert put("1", b"A") == put("2", b"A") != put("3", b"B")


def test_a_local_folder_is_read_without_tfx(tmp_path, push, monkeypatch):
    push(1, b"A", {"parent": ""})
    for module in ("tfx", "tfx.dsl", "tfx.dsl.io"):
        monkeypatch.setitem(sys.modules, module, None)
    assert model_in_use(str(tmp_path)).record == {"parent": ""}


def test_a_candidate_is_compared_with_the_model_in_use(tmp_path, push):
    serving = str(tmp_path)
    assert find_baseline(serving, "any") == ("", None)
    first = push(1, b"A", {"parent": ""})
    name, model = find_baseline(serving, "another")
    assert name == first == model.name
    second = push(2, b"B")
    assert find_baseline(serving, first.partition(":")[2])[0] == second


def test_one_that_is_in_use_itself_keeps_what_it_was_compared_with(tmp_path, push):
    serving = str(tmp_path)
    first = push(1, b"A", {"parent": ""})
    identity = first.partition(":")[2]
    assert find_baseline(serving, identity) == ("", None)
    second = push(2, b"B", {"parent": first})
    name, model = find_baseline(serving, second.partition(":")[2])
    assert name == first == model.name
    third = push(3, b"A", {"parent": second})
    assert find_baseline(serving, identity)[0] == second
    assert find_baseline(serving, "another")[0] == third
    os.remove(tmp_path / "2" / "saved_model.pb")
    assert find_baseline(serving, identity) == (second, None)


def test_a_model_without_a_record_is_served_and_tells_nothing(tmp_path, push):
    push(1, b"foreign")
    model = model_in_use(str(tmp_path))
    assert model.record is None
    with pytest.raises(UserError, match=r"1: no record.json there tells what the model was made"):
        model.origin()
    # Not even that it is the candidate itself, whose parent its record would tell.
    assert find_baseline(str(tmp_path), model.identity) == (model.name, model)


def test_a_folder_in_an_object_store_is_listed_by_tfx(monkeypatch):
    monkeypatch.setattr(fileio, "exists", lambda path: path == "gs://bucket/serving")
    monkeypatch.setattr(fileio, "listdir", lambda path: ["9/", "10/", "tmp/"])
    assert versions("gs://bucket/serving") == ["10", "9"]
    assert versions("gs://bucket/other") == []
