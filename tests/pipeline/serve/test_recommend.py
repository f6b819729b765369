import os

import numpy as np
import pyarrow.parquet as pq
import pytest

import components.ncf_trainer.interactions as ncf_interactions
import pipeline.serve.recommend
from components.model_records.in_use import ServedModel
from components.ncf_trainer.interactions import Interactions
from pipeline.serve.recommend import (
    Ranked,
    Recommender,
    _free_id,
    as_table,
    lines,
)
from pipeline.serve.tables import write_table
from transforms.base.errors import UserError

LOWEST = np.finfo(np.float32).min
RANKED = Ranked(
    user_id=np.array([7, 7, 3]),
    rank=np.array([1, 2, 1], np.int32),
    item_id=np.array([20, 10, 30]),
    score=np.array([1.5, -0.25, 2.0], np.float32),
    strangers=[],
)
NAMED = RANKED._replace(
    user_id=np.array(["ana-17", "ana-17", "bob"], object),
    item_id=np.array(["sku-0000042", "01", "1"], object),
)


class Ranks:
    """Does what the model's signature does, for items 0, -1, 1, 2 and so on, best first."""

    def __init__(self, items):
        self.items = np.array([0, -1, *range(1, items - 1)])

    def __call__(self, inputs):
        known = ~(inputs["exclude"][:, :, np.newaxis] == self.items).any(axis=1)
        if inputs["include"].shape[1]:
            known &= (inputs["include"][:, :, np.newaxis] == self.items).any(axis=1)
        scores = np.where(known, -np.arange(len(self.items)), LOWEST).astype(np.float32)
        order = np.argsort(-scores, axis=1, kind="stable")
        scores = np.take_along_axis(scores, order, axis=1)
        item_id = np.where(scores > LOWEST, self.items[order], -1)
        fill = [(0, 0), (0, max(0, inputs["k"] - len(self.items)))]
        return {
            "item_id": np.pad(item_id, fill, constant_values=-1)[:, : inputs["k"]],
            "scores": np.pad(scores, fill, constant_values=LOWEST)[:, : inputs["k"]],
        }


@pytest.fixture
def ask(monkeypatch, tmp_path):
    """Returns a function that recommends to 7, who has seen -1 and 0, and to 8, who has seen 2."""

    def answer(users, top, items=4, include=None):
        others = np.arange(3, items - 1)
        seen = Interactions(
            users=np.array([7, 8, 9]),
            starts=np.array([0, 2, 3, 4 + len(others)]),
            items=np.array([-1, 0, 2, 1, *others]),
        )
        monkeypatch.setattr(ncf_interactions, "read_interactions", lambda _: seen)
        monkeypatch.setattr(pipeline.serve.recommend, "Signature", lambda *_: Ranks(items))
        record = {"data": {"examples": str(tmp_path)}}
        served = ServedModel(folder="", identity="", record=record)
        recommender = Recommender(served, ncf_interactions.__name__, top, include)
        return recommender.for_users(users)

    return answer


def test_an_item_with_the_id_minus_one_is_an_item_like_another(ask):
    ranked = ask([7, 8, 10], top=10)
    assert ranked.user_id.tolist() == [7] * 2 + [8] * 3 + [10] * 4
    assert ranked.item_id.tolist() == [1, 2, 0, -1, 1, 0, -1, 1, 2]
    assert ranked.rank.tolist() == [1, 2, 1, 2, 3, 1, 2, 3, 4]
    assert ranked.strangers == [10]


def test_more_items_than_a_few_are_all_there(ask):
    assert len(ask([7], top=3000, items=1500).item_id) == 1498
    assert len(ask([7], top=1200, items=1500).item_id) == 1200


def test_more_users_than_are_asked_together_have_each_their_answer(ask, monkeypatch):
    monkeypatch.setattr(pipeline.serve.recommend, "_ASKED_TOGETHER", 2)
    ranked = ask([7, 8, 10, 8, 7], top=1)
    assert ranked.user_id.tolist() == [7, 8, 10, 8, 7]
    assert ranked.item_id.tolist() == [1, 0, 0, 0, 1]


def test_who_has_had_everything_is_named(ask):
    ranked = ask([7, 8, 10], top=2, include=[-1, 0])
    assert set(ranked.user_id.tolist()) == {8, 10} and ranked.without == [7]
    assert ask([8], top=2).without == []


def test_where_nobody_is_named_everybody_is_meant(ask):
    ranked = ask(None, top=1)
    assert ranked.user_id.tolist() == [7, 8, 9] and ranked.strangers == []


def test_only_included_items_are_recommended(ask):
    ranked = ask([7, 10], top=3, items=8, include=[5, -1, 99])
    assert ranked.user_id.tolist() == [7, 10, 10] and ranked.item_id.tolist() == [5, -1, 5]


@pytest.mark.parametrize(
    ("items", "free"), [([0, 1, 2], 3), ([-1, 7, 0], 1), ([2**62], 0), ([], 0)]
)
def test_what_stands_for_no_item_is_no_items_id(items, free):
    assert _free_id(np.array(items, np.int64)) == free


@pytest.fixture
def served(tmp_path):
    """A model whose data set has titles for two of the three items."""
    movies = "10::Antz (1998)::Animation|Children's\n20::Toy Story (1995)::Comedy\n"
    (tmp_path / "movies.dat").write_text(movies, encoding="latin-1")
    return ServedModel(folder="", identity="", record={"data": {"folder": str(tmp_path)}})


def test_text_names_title_and_genres_where_they_are_known(served):
    assert list(lines(RANKED, served)) == [
        "user 7",
        "   1    1.5000        20  Toy Story (1995)  Comedy",
        "   2   -0.2500        10  Antz (1998)       Animation|Children's",
        "user 3",
        "   1    2.0000        30",
    ]


def test_where_nothing_is_recommended_there_is_no_text(served):
    nothing = RANKED._replace(**{name: getattr(RANKED, name)[:0] for name in RANKED._fields[:4]})
    assert list(lines(nothing, served)) == []


def test_parquet_is_written_whole_or_not_at_all(served, tmp_path):
    path = str(tmp_path / "out.parquet")
    write_table(as_table(RANKED, served), path, None)
    rows = pq.read_table(path).to_pylist()
    assert rows[1] == {
        "user_id": 7,
        "rank": 2,
        "item_id": 10,
        "score": -0.25,
        "title": "Antz (1998)",
        "genres": "Animation|Children's",
    }
    assert rows[2]["title"] is None
    assert sorted(os.listdir(tmp_path)) == ["movies.dat", "out.parquet"]
    with pytest.raises(UserError, match="cannot write it"):
        write_table(as_table(RANKED, served), str(tmp_path / "missing" / "out.parquet"), None)


def test_string_ids_stand_in_their_column_and_have_titles_too(served, tmp_path):
    os.remove(tmp_path / "movies.dat")
    (tmp_path / "movies.csv").write_text(
        "movieId,title,genres\nsku-0000042,Tea,Drinks\n 01 ,Cup,\n"
    )
    assert list(lines(NAMED, served)) == [
        "user ana-17",
        "   1    1.5000  sku-0000042  Tea  Drinks",
        "   2   -0.2500           01  Cup  ",
        "user bob",
        "   1    2.0000            1",
    ]
    path = str(tmp_path / "out.parquet")
    nobody = NAMED._replace(**{name: getattr(NAMED, name)[:0] for name in NAMED._fields[:4]})
    for ranked in (NAMED, nobody):
        write_table(as_table(ranked, served), path, None)
        table = pq.read_table(path)
        assert {str(table.schema.field(name).type) for name in ("user_id", "item_id")} == {"string"}
        assert table["item_id"].to_pylist() == ranked.item_id.tolist()


@pytest.fixture
def asking(monkeypatch, tmp_path):
    """A recommender of two items to 7, who has had -1, 0 and 2, and what it asks of signatures."""
    asked = {}

    class Asked(Ranks):
        def __call__(self, inputs):
            asked.update(inputs)
            return super().__call__(inputs)

    def signature(folder, name):
        asked["signature"] = name
        return Asked(5)

    seen = Interactions(np.array([7]), np.array([0, 3]), np.array([-1, 0, 2]))
    monkeypatch.setattr(ncf_interactions, "read_interactions", lambda _: seen)
    monkeypatch.setattr(pipeline.serve.recommend, "Signature", signature)
    served = ServedModel("", "", {"data": {"examples": str(tmp_path)}})
    return Recommender(served, ncf_interactions.__name__, 2), asked


def test_what_comes_after_a_history_is_of_it_and_none_of_it_again(asking):
    recommender, asked = asking
    ranked = recommender.after([2, 99, -1])
    assert asked["signature"] == "recommend_history"
    assert asked["history"].tolist() == asked["exclude"].tolist() == [[2, 99, -1]]
    assert ranked.user_id is None
    assert ranked.item_id.tolist() == [0, 1] and ranked.rank.tolist() == [1, 2]
    assert ranked.strangers == [99]


def test_a_history_goes_on_with_that_of_a_user(asking):
    recommender, asked = asking
    assert recommender.after([1], user=7).item_id.tolist() == [3]
    assert asked["history"].tolist() == asked["exclude"].tolist() == [[-1, 0, 2, 1]]
    recommender.after([1], user=8)
    assert asked["history"].tolist() == [[1]]


def test_similar_items_are_others_and_none_is_like_one_that_was_not_trained_on(asking):
    recommender, asked = asking
    ranked = recommender.similar_to(0)
    assert asked["signature"] == "similar"
    assert asked["item_id"].tolist() == [0] and asked["exclude"].tolist() == [[0]]
    assert asked["include"].shape == (1, 0)
    assert ranked.user_id is None and ranked.item_id.tolist() == [-1, 1]
    assert ranked.rank.tolist() == [1, 2] and ranked.strangers == []
    with pytest.raises(UserError, match=r"^item 1: the model was not trained on it"):
        recommender.similar_to(1)


def test_what_users_have_seen_may_be_gone(tmp_path):
    served = ServedModel("", "", {"data": {"examples": str(tmp_path / "gone")}})
    with pytest.raises(UserError, match=f"^{tmp_path}/gone: what users have seen is not there any"):
        Recommender(served, ncf_interactions.__name__, 2)


def test_recommendations_after_a_history_name_no_user(tmp_path):
    served = ServedModel("", "", {"data": {"folder": str(tmp_path)}})
    after = RANKED._replace(user_id=None)
    assert [line.split()[0] for line in lines(after, served)] == ["1", "2", "1"]
    write_table(as_table(after, served), str(tmp_path / "out.parquet"), None)
    names = pq.read_table(tmp_path / "out.parquet").column_names
    assert names == ["rank", "item_id", "score", "title", "genres"]
