import gzip
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pipeline.serve.predict
from components.model_records.in_use import ServedModel
from pipeline.pipelines.registry import definition
from pipeline.serve.predict import predict, write_table
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


TABLE = pa.table({"a": [1, 2], "b": ["x,y", ""], "c": np.float32([0.5, 0.25])})
TEXT = 'a,b,c\n1,"x,y",0.5\n2,,0.25\n'


def test_csv_goes_to_standard_output_too(capsys):
    write_table(TABLE, "-", sys.stdout)
    assert capsys.readouterr().out == TEXT


def test_a_file_is_written_as_what_it_is_called(tmp_path):
    for name in ("out.csv", "out.csv.gz", "OUT.Parquet", "out"):
        write_table(TABLE, str(tmp_path / name), None)
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "out").read_text() == TEXT
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode() == TEXT
    assert pq.read_table(tmp_path / "OUT.Parquet").equals(TABLE)


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_text("before")

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", broken)
    monkeypatch.setattr(pipeline.serve.predict, "_write_csv", broken)
    with pytest.raises(UserError, match="No space left"):
        write_table(TABLE, str(path), None)
    assert os.listdir(tmp_path) == [name] and path.read_text() == "before"
