import pipeline.run.history
import pipeline.serve.recommend
from components.model_records.in_use import ServedModel
from pipeline.cli.main import main
from pipeline.serve.recommend import Ranked


def test_a_user_who_is_named_twice_is_asked_for_once(monkeypatch, tmp_path):
    asked = []

    def recommend(served, interactions, users, top):
        asked.extend(users)
        return Ranked([], [], [], [], strangers=[])

    record = {"settings": {"data": {"string_ids": False}}}
    served = ServedModel(folder="", identity="", record=record)
    monkeypatch.setattr(pipeline.run.history, "latest_pushed", lambda *_: served)
    monkeypatch.setattr(pipeline.serve.recommend, "recommend", recommend)
    monkeypatch.setattr(pipeline.serve.recommend, "lines", lambda *_: [])
    main(["recommend", "--user", "7", "--user", "3", "--user", "07"])
    assert asked == [7, 3]
