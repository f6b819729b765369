import os

import numpy as np
import pytest

import pipeline.serve.predict
from components.model_records.in_use import ServedModel
from pipeline.pipelines.registry import definition
from pipeline.serve.predict import predict, write_csv
from transforms.base.errors import UserError

# A mistake in the input is found before the model is loaded.
NO_MODEL = ServedModel(folder="", identity="", record={"data": {"folder": ""}})
PERSON = "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, "
PERSON += "Male, 2174, 0, 40, United-States"


def census(served, path):
    return predict(served, definition("census").predict, path)


def movielens(served, path):
    return predict(served, definition("movielens").predict, path)


@pytest.mark.parametrize(
    ("asked", "content", "message"),
    [
        (census, f"{PERSON}\n{PERSON}, <=50K, x\n", ":2: has 16 fields, not 14 or 15"),
        (census, PERSON.replace("39", "x9"), ":1: age 'x9' is not an integer"),
        (census, f"\n\n{PERSON.replace('Male', '')}", ":3: gender '' is not filled in"),
        (
            census,
            f"|1x3 Cross validator\n{PERSON.replace('39', 'x9')}",
            ":2: age 'x9' is not an integer",
        ),
        (census, f"{PERSON}\n|1x3\n", ":2: has 1 fields, not 14 or 15"),
        (census, PERSON.replace("Male", "Ma\0le"), ":1: holds a NUL byte"),
        (movielens, "1,2\n", ":1: has 2 fields, not 3"),
        (
            movielens,
            "user_id,item_id,timestamp\n1,2,3\n1,,3\n",
            ":3: item_id '' is not an int",
        ),
        (
            movielens,
            "timestamp,item_id,user_id\n1,2,x\n",
            ":2: user_id 'x' is not an integer",
        ),
        (movielens, '1,"2\n",3\n1,x,3\n', ":3: item_id 'x' is not an integer"),
        (movielens, '1,"2,3\n', "unexpected end of data"),
        (
            movielens,
            "user_id,item_id,timestamp\n",
            "holds no rows; expected the columns user",
        ),
        (movielens, "", "holds no rows"),
        (movielens, b"1,2,\xff\n", "is not UTF-8"),
    ],
)
def test_a_malformed_row_is_named_by_file_line_and_column(asked, content, message, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as error:
        asked(NO_MODEL, str(path))
    assert str(error.value).startswith(str(path)) and message in str(error.value)


def test_of_a_long_value_that_is_none_only_the_beginning_is_told(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(f"1,{'y' * 999},3\n")
    with pytest.raises(UserError) as error:
        movielens(NO_MODEL, str(path))
    assert str(error.value).removeprefix(str(path)).count("y") == 100


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
        _, *rows = movielens(served, str(path))
        assert rows == [(user, 5, 0, user) for user in range(count)]


def test_a_missing_file_is_named():
    with pytest.raises(UserError, match=r"rows\.csv: No such file"):
        movielens(NO_MODEL, "rows.csv")


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    def broken():
        yield "a", "b"
        raise OSError(28, "No space left on device")

    path = str(tmp_path / "out.csv")
    write_csv([("a", "b"), (1, "x,y")], path, None)
    with pytest.raises(UserError, match="No space left"):
        write_csv(broken(), path, None)
    assert os.listdir(tmp_path) == ["out.csv"]
    with open(path, encoding="utf-8") as file:
        assert file.read() == 'a,b\n1,"x,y"\n'
