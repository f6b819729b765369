import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.recommend import Ranked, lines, read_users, write_parquet
from pipeline.runs import Served
from transforms.errors import UserError

RANKED = Ranked(
    user_id=np.array([7, 7, 3]),
    rank=np.array([1, 2, 1], np.int32),
    item_id=np.array([20, 10, 30]),
    score=np.array([1.5, -0.25, 2.0], np.float32),
    strangers=[],
)


@pytest.fixture
def served(tmp_path):
    """A model whose data set has titles for two of the three items."""
    movies = "10::Antz (1998)::Animation|Children's\n20::Toy Story (1995)::Comedy\n"
    (tmp_path / "movies.dat").write_text(movies, encoding="latin-1")
    return Served(folder="", run={"data": {"folder": str(tmp_path)}})


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
        read_users(str(path))
    assert str(error.value).startswith(str(path)) and message in str(error.value)


def test_users_are_read_in_their_order(tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("\ufeff7\r\n\n 3 \n", encoding="utf-8")
    assert read_users(str(path)) == [7, 3]
