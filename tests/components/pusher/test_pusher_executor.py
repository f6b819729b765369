import json
import os
import time

import pytest
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.model_records.in_use import model_in_use
from components.pusher import executor
from components.pusher.executor import PusherExecutor


class Place:
    """A serving folder, and models to push to it."""

    def __init__(self, folder):
        self.folder = folder
        self.serving = str(folder / "serving")
        self._pushes = 0

    def push(self, weights, blessed=1):
        """Pushes a model of those weights; returns the PushedModel."""
        self._pushes += 1
        home = self.folder / str(self._pushes)
        files = home / "model" / "Format-Serving"
        (files / "variables").mkdir(parents=True)
        (home / "pushed").mkdir()
        (home / "blessing").mkdir()
        for name in ("saved_model.pb", "fingerprint.pb", "variables/variables.index"):
            (files / name).write_text(weights)
        (home / "blessing" / "record.json").write_text(json.dumps({"of": weights, "parent": ""}))
        model, blessing, pushed = (
            standard_artifacts.Model(),
            standard_artifacts.ModelBlessing(),
            standard_artifacts.PushedModel(),
        )
        model.uri, blessing.uri = str(home / "model"), str(home / "blessing")
        pushed.uri = str(home / "pushed")
        blessing.set_int_custom_property("blessed", blessed)
        destination = pusher_pb2.PushDestination()
        destination.filesystem.base_directory = self.serving
        PusherExecutor().Do(
            {"model": [model], "model_blessing": [blessing]},
            {"pushed_model": [pushed]},
            {"push_destination": proto_utils.proto_to_json(destination)},
        )
        return pushed


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_model_is_pushed_with_its_record(place):
    before = int(time.time())
    pushed = place.push("A")
    model = model_in_use(place.serving)
    assert before <= int(os.path.basename(model.folder)) <= time.time()
    assert model.record["of"] == "A"
    assert sorted(os.listdir(model.folder)) == [
        "fingerprint.pb",
        "record.json",
        "saved_model.pb",
        "variables",
    ]
    assert pushed.get_string_custom_property("pushed_destination") == model.folder
    version = os.path.basename(model.folder)
    assert pushed.get_string_custom_property("pushed_version") == version
    assert pushed.get_int_custom_property("pushed") == 1
    assert os.path.exists(os.path.join(pushed.uri, "saved_model.pb"))


def test_what_is_not_blessed_is_not_pushed(place):
    pushed = place.push("A", blessed=0)
    assert pushed.has_custom_property("pushed")
    assert pushed.get_int_custom_property("pushed") == 0
    assert not os.path.exists(place.serving)


def test_a_version_is_newer_than_those_before_whatever_the_clock_says(place):
    late = os.path.join(place.serving, str(10**12))
    os.makedirs(late)
    for weights in "AB":
        place.push(weights)
    assert sorted(map(int, os.listdir(place.serving))) == [10**12, 10**12 + 1, 10**12 + 2]
    assert model_in_use(place.serving).record["of"] == "B"


def test_the_model_in_use_is_not_pushed_again_and_an_older_one_is(place):
    first = place.push("A").get_string_custom_property("pushed_destination")
    assert place.push("A").get_string_custom_property("pushed_destination") == first
    place.push("B")
    again = place.push("A").get_string_custom_property("pushed_destination")
    assert again != first and model_in_use(place.serving).folder == again


@pytest.mark.parametrize("step", ["copy", "rename"])
def test_a_push_that_is_cut_off_leaves_the_model_in_use(place, step, monkeypatch):
    place.push("A")
    calls = []

    def cut(*arguments):
        calls.append(arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(executor.fileio, step, cut)
        with pytest.raises(KeyboardInterrupt):
            place.push("B")
    assert calls and model_in_use(place.serving).record["of"] == "A"
    place.push("B")
    assert model_in_use(place.serving).record["of"] == "B"
