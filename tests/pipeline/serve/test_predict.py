import numpy as np
import pytest

import pipeline.serve.predict
from components.model_records.in_use import ServedModel
from pipeline.pipelines.registry import definition
from pipeline.serve.predict import predict
from transforms.base.errors import UserError


def movielens(served, path):
    return predict(served, definition("movielens").predict, path)


class Echo:
    """Scores a row by its user's id."""

    inputs = ("genres", "item_id", "timestamp", "user_id")

    def __call__(self, columns):
        return {"scores": np.array(columns["user_id"], np.float32)}


def test_rows_of_any_number_of_blocks_are_scored(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline.serve.predict, "Signature", lambda *_: Echo())
    monkeypatch.setattr(pipeline.serve.predict, "_ASKED_TOGETHER", 3)
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n5,A,War\n")
    path = tmp_path / "rows.csv"
    served = ServedModel(folder="", identity="", record={"data": {"folder": str(tmp_path)}})
    for count in (1, 3, 7):
        path.write_text("".join(f"{user},5,0\n" for user in range(count)))
        rows = movielens(served, str(path))
        assert rows.column_names == ["user_id", "item_id", "timestamp", "rating"]
        assert rows["rating"].to_pylist() == rows["user_id"].to_pylist() == list(range(count))


def test_a_model_is_not_loaded_for_rows_with_a_mistake(tmp_path):
    with pytest.raises(UserError, match=r"rows\.csv: .*No such file"):
        movielens(ServedModel(folder="", identity="", record={}), str(tmp_path / "rows.csv"))
