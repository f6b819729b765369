import json
import os

import pytest

from components.model_records.in_use import find_baseline, model_in_use, served_models
from pipeline.cli.main import main
from pipeline.run.lock import locked
from tests.pipeline.run.test_history import push


class Home:
    """An output root with pushed models of ncf."""

    def __init__(self, root):
        self.root = str(root)
        self.home = os.path.join(self.root, "ncf")
        self.serving = os.path.join(self.home, "serving")

    def push(self, version, weights):
        record = {"pipeline": "ncf", "dataset": "mine", "metrics": {}, "baseline": {}}
        folder = push(self.home, version, {**record, "parent": "", "of": weights})
        for name in ("saved_model.pb", "fingerprint.pb", "variables.index"):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(weights)

    def roll_back(self, code=0):
        assert main(["rollback", "ncf", "--output-root", self.root]) == code

    def in_use(self):
        """The weights of the model in use, which all of its files have."""
        model = model_in_use(self.serving)
        texts = set()
        for name in ("saved_model.pb", "fingerprint.pb", "variables.index"):
            with open(os.path.join(model.folder, name), encoding="utf-8") as file:
                texts.add(file.read())
        (weights,) = texts
        assert model.record["of"] == weights
        return weights


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def test_each_rollback_goes_one_further_back_and_the_first_has_none_before(home, capsys):
    for version, weights in (("7", "A"), ("8", "B"), ("9", "C")):
        home.push(version, weights)
    home.roll_back()
    assert home.in_use() == "B"
    version = model_in_use(home.serving).version
    told = f"ncf: model 8 serves again, as {version}, in the place of 9\n"
    assert capsys.readouterr().out == told
    home.roll_back()
    assert home.in_use() == "A"
    newest = model_in_use(home.serving).version
    assert (
        f"model 7 serves again, as {newest}, in the place of {version}" in capsys.readouterr().out
    )
    home.roll_back(code=2)
    error = capsys.readouterr().err
    assert f"serving/{newest}: no model served before it; run the pipeline again" in error
    assert error.count("\n") == 1
    assert [model.version for model in served_models(home.serving)] == [
        newest, version, "9", "8", "7",
    ]  # fmt: skip


def test_what_was_rolled_back_from_does_not_come_back_after_another_push(home):
    for version, weights in (("7", "A"), ("8", "bad")):
        home.push(version, weights)
    home.roll_back()
    home.push(str(int(model_in_use(home.serving).version) + 5), "C")
    home.roll_back()
    assert home.in_use() == "A"
    assert model_in_use(home.serving).record["restores"] == "7"


def test_the_next_candidate_is_compared_with_what_serves_again(home):
    for version, weights in (("7", "A"), ("8", "B")):
        home.push(version, weights)
    home.roll_back()
    name, model = find_baseline(home.serving, "another")
    assert model.folder == model_in_use(home.serving).folder
    assert name == f"{model.version}:{model.identity}"
    assert model.identity == [*served_models(home.serving)][2].identity


def test_list_tells_what_serves_and_what_it_restores(home, capsys):
    for version, weights in (("7", "A"), ("8", "B")):
        home.push(version, weights)
    os.makedirs(os.path.join(home.home, "runs"))
    record = {"started": "2026-01-02T03:04:05+0000", "data": {"dataset": "mine"}, "preset": "best"}
    record |= {"pipeline": "ncf", "outcome": "fault", "reasons": ["full"]}
    with open(os.path.join(home.home, "runs", "1.json"), "w", encoding="utf-8") as file:
        json.dump(record, file)
    home.roll_back()
    capsys.readouterr()
    assert main(["list", "--output-root", home.root]) == 0
    newest, *older = capsys.readouterr().out.splitlines()[-3:]
    assert newest.endswith("restores 7  in use")
    assert not any("restores" in line or "in use" in line for line in older)


def test_nothing_to_go_back_to_is_a_line(home, capsys):
    home.roll_back(code=2)
    assert "no model was pushed there; run: python -m pipeline run ncf" in capsys.readouterr().err
    home.push("7", "A")
    home.roll_back(code=2)
    assert "serving/7: no model served before it" in capsys.readouterr().err
    assert os.listdir(home.serving) == ["7"]


def test_a_rollback_waits_for_no_run(home, capsys):
    for version, weights in (("7", "A"), ("8", "B")):
        home.push(version, weights)
    with locked(home.home):
        home.roll_back(code=2)
    assert "another run is at work here" in capsys.readouterr().err
    assert home.in_use() == "B"
