import pytest

import pipeline.run.history
import pipeline.serve.recommend
from components.model_records.in_use import ServedModel
from pipeline.cli.main import main
from pipeline.serve.recommend import Ranked


@pytest.fixture
def asked(monkeypatch):
    """What a recommender is asked, by the name of the question."""
    asked = {}

    class Recommender:
        def __init__(self, served, interactions, top, include):
            asked.update(top=top, include=include)

        def _answer(self, question):
            return lambda *arguments: (
                asked.update({question: arguments})
                or Ranked(None, [], [], [], strangers=[], without=[8, 9])
            )

        def __getattr__(self, name):
            return self._answer(name)

    record = {"settings": {"data": {"string_ids": False}}}
    served = ServedModel(folder="", identity="", record=record)
    monkeypatch.setattr(pipeline.run.history, "latest_pushed", lambda *_: served)
    monkeypatch.setattr(pipeline.serve.recommend, "Recommender", Recommender)
    monkeypatch.setattr(pipeline.serve.recommend, "lines", lambda *_: [])
    return asked


def test_a_user_who_is_named_twice_is_asked_for_once(asked):
    assert main(["recommend", "--user", "7", "--user", "3", "--user", "07"]) == 0
    assert asked["for_users"] == ([7, 3],) and asked["include"] is None


def test_who_has_had_everything_is_told_so(asked, capsys):
    assert main(["recommend", "--user", "9", "--user", "7", "--user", "8"]) == 0
    warnings = capsys.readouterr().err.splitlines()
    assert warnings == [f"warning: nothing is left that user {user} has not had" for user in (8, 9)]


def test_an_id_that_begins_with_a_dash_is_written_with_an_equals_sign(asked, capsys):
    assert main(["recommend", "--user", "-Tk005"]) == 2
    assert "if it begins with a dash, write --user=-...; see" in capsys.readouterr().err


def test_all_a_history_a_users_history_and_an_item_are_each_asked_in_their_way(asked, tmp_path):
    main(["recommend", "--all", "--top", "3"])
    assert asked["for_users"] == (None,) and asked["top"] == 3
    main(["recommend", "--history", "5, 6"])
    assert asked["after"] == ([5, 6],)
    main(["recommend", "--history", "5", "--user", "9"])
    assert asked["after"] == ([5], 9)
    stock = tmp_path / "stock.txt"
    stock.write_text("4\n2\n")
    main(["recommend", "--item", "8", "--include", str(stock)])
    assert asked["similar_to"] == (8,) and asked["include"] == [4, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "recommend: name --user, --users, --all, --history or --item"),
        (["--history", "1", "--all"], "--history: goes alone, or with one --user"),
        (["--history", "1", "--item", "3"], "--history: goes alone, or with one --user"),
        (["--history", "1", "--users", "f"], "--history: goes alone, or with one --user"),
        (["--history", "1", "--user", "1", "--user", "2"], "--history: goes alone, or with one"),
    ],
)
def test_it_has_to_be_clear_for_whom(asked, arguments, message, capsys):
    assert main(["recommend", *arguments]) == 2
    assert f"error: {message}" in capsys.readouterr().err and not asked
