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
    _free_id,
    lines,
    parse_id,
    read_users,
    recommend,
    write_parquet,
)
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

    def answer(users, top, items=4):
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
        return recommend(served, ncf_interactions.__name__, users, top)

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


@pytest.mark.parametrize(
    ("items", "free"), [([0, 1, 2], 3), ([-1, 7, 0], 1), ([2**62], 0), ([], 0)]
)
def test_what_stands_for_no_item_is_no_items_id(items, free):
    assert _free_id(np.array(items, np.int64)) == free


def trained(**data):
    """A model of a run with these settings of its data."""
    return ServedModel(
        folder="", identity="", record={"settings": {"data": {"string_ids": False, **data}}}
    )


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


def test_parquet_is_written_whole_or_not_at_all(served, tmp_path):
    path = str(tmp_path / "out.parquet")
    write_parquet(RANKED, served, path)
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
        write_parquet(RANKED, served, str(tmp_path / "missing" / "out.parquet"))


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
        write_parquet(ranked, served, path)
        table = pq.read_table(path)
        assert {str(table.schema.field(name).type) for name in ("user_id", "item_id")} == {"string"}
        assert table["item_id"].to_pylist() == ranked.item_id.tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1\n\n x9\n", ":3: user_id 'x9' is not an integer"),
        (b"\n\n", "holds no user id"),
        (b"\xff\n", "is not UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_of_users_that_is_none_is_one_line(content, message, tmp_path):
    path = tmp_path / "users.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_users(str(path), trained())
    assert str(error.value).startswith(str(path)) and message in str(error.value)


def test_users_are_read_in_their_order(tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("\ufeff7\r\n\n 3 \n7\n", encoding="utf-8")
    assert read_users(str(path), trained()) == [7, 3]
    assert read_users(str(path), trained(string_ids=True)) == ["7", "3"]


def test_a_user_is_what_the_model_takes_or_one_line(tmp_path):
    strings = trained(string_ids=True)
    assert parse_id("0017", strings, "--user") == "0017"
    assert parse_id("0017", trained(string_ids=False), "--user") == 17
    message = "--user: user_id 'ana-17' is not an integer, and this model's users are; mend it"
    with pytest.raises(UserError, match=message):
        parse_id("ana-17", trained(), "--user")
    with pytest.raises(UserError, match="--user: user_id '' is empty; mend it"):
        parse_id(" ", strings, "--user")


def test_what_comes_after_a_history_is_of_it_and_none_of_it_again(monkeypatch, tmp_path):
    asked = {}

    class AfterHistory(Ranks):
        def __call__(self, inputs):
            asked.update(inputs)
            return super().__call__(inputs)

    seen = Interactions(np.array([7]), np.array([0, 3]), np.array([-1, 0, 2]))
    monkeypatch.setattr(ncf_interactions, "read_interactions", lambda _: seen)
    monkeypatch.setattr(pipeline.serve.recommend, "Signature", lambda folder, name: AfterHistory(5))
    served = ServedModel("", "", {"data": {"examples": str(tmp_path)}})
    ranked = pipeline.serve.recommend.recommend_after(
        served, "components.ncf_trainer.interactions", [2, 99, -1], 2
    )
    assert asked["history"].tolist() == asked["exclude"].tolist() == [[2, 99, -1]]
    assert ranked.user_id is None
    assert ranked.item_id.tolist() == [0, 1] and ranked.rank.tolist() == [1, 2]
    assert ranked.strangers == [99]


def test_recommendations_after_a_history_name_no_user(tmp_path):
    served = ServedModel("", "", {"data": {"folder": str(tmp_path)}})
    after = RANKED._replace(user_id=None)
    assert [line.split()[0] for line in lines(after, served)] == ["1", "2", "1"]
    write_parquet(after, served, str(tmp_path / "out.parquet"))
    names = pq.read_table(tmp_path / "out.parquet").column_names
    assert names == ["rank", "item_id", "score", "title", "genres"]
