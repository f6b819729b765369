import os

import pyarrow.compute as pc
import pytest

from transforms.errors import UserError
from transforms.read_census import CENSUS_COLUMNS, find_census, read_census

ROW = (
    "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, "
    "Male, 2174, 0, 40, United-States, <=50K"
)
RICH = ROW.replace("<=50K", ">50K").replace("State-gov", "?")
REAL = os.path.join("..", "shared", "data", "census")


def write(tmp_path, text: str, name: str = "adult.data") -> str:
    path = tmp_path / name
    path.write_bytes(text.encode("latin-1"))
    return str(path)


def test_values_are_trimmed_and_typed_and_the_label_is_0_or_1(tmp_path):
    rows = read_census(write(tmp_path, f"{ROW}\n{RICH}\n"))
    assert rows.schema == CENSUS_COLUMNS
    assert rows.to_pylist()[0] == {
        "age": 39,
        "workclass": "State-gov",
        "fnlwgt": 77516,
        "education": "Bachelors",
        "education_num": 13,
        "marital_status": "Never-married",
        "occupation": "Adm-clerical",
        "relationship": "Not-in-family",
        "race": "White",
        "gender": "Male",
        "capital_gain": 2174,
        "capital_loss": 0,
        "hours_per_week": 40,
        "native_country": "United-States",
        "label": 0,
    }
    assert rows["label"].to_pylist() == [0, 1]
    assert rows["workclass"][1].as_py() == "?"


@pytest.mark.parametrize(
    "text",
    [
        f"|1x3 Cross validator\n{ROW}.\n{RICH}.\n\n",
        f"{ROW}\r\n{RICH}\r\n",
        f"\n{ROW}\n  \n\n{RICH}",
        f"{ROW.replace(', ', ',')}\n{RICH}",
    ],
    ids=["as in adult.test", "CRLF", "blank lines", "no spaces"],
)
def test_spellings_of_the_same_rows_are_equal(tmp_path, text):
    expected = read_census(write(tmp_path, f"{ROW}\n{RICH}\n", "expected"))
    assert read_census(write(tmp_path, text)).equals(expected)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (ROW.replace("39", "x9"), "age 'x9' is not an integer"),
        (ROW.replace("39", ""), "age '' is not an integer"),
        (ROW.replace("39", "3.5"), "age '3.5' is not an integer"),
        (ROW.replace("39", "0x1F"), "age '0x1F' is not an integer"),
        (ROW.replace("2174", "9" * 30), f"capital_gain '{'9' * 30}' is not an integer"),
        (ROW.replace("State-gov", ""), "workclass '' is empty"),
        (ROW.replace("<=50K", "50K"), "income_bracket '50K' is neither <=50K nor >50K"),
        (ROW.replace("<=50K", "<=50K.."), "income_bracket '<=50K..' is neither"),
        (ROW.replace(", White", ""), "has 14 fields, not 15"),
        (f"{ROW}, 1", "has 16 fields, not 15"),
        ("|a later comment", "'|a later comment' has 1 fields"),
        (ROW.replace("White", "\xff"), "is not UTF-8"),
    ],
)
def test_a_malformed_row_names_file_line_column_and_value(tmp_path, bad, message):
    path = write(tmp_path, f"|first\n{ROW}\n\n{RICH}\n{bad}\n{ROW}\n")
    with pytest.raises(UserError) as error:
        read_census(path)
    assert str(error.value).startswith(f"{path}:5: ")
    assert message in str(error.value)
    assert str(error.value).endswith("; mend the row or remove it")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "\n\n", "|1x3 Cross validator\n", "|1x3"])
def test_a_file_without_rows_is_an_error(tmp_path, text):
    with pytest.raises(UserError, match="holds no rows"):
        read_census(write(tmp_path, text))


def test_files_are_found_by_extension(tmp_path):
    for name in ("adult.test", "adult.data", "adult.names"):
        write(tmp_path, ROW, name)
    assert find_census(f"{tmp_path}/adult.*") == {
        ".data": [f"{tmp_path}/adult.data"],
        ".test": [f"{tmp_path}/adult.test"],
    }
    assert find_census(f"{tmp_path}/none.*") == {".data": [], ".test": []}


@pytest.mark.skipif(not os.path.isdir(REAL), reason="needs the original files")
@pytest.mark.parametrize(
    ("name", "num_rows", "positive"), [("adult.data", 32561, 7841), ("adult.test", 16281, 3846)]
)
def test_the_original_files_are_read_whole(name, num_rows, positive):
    rows = read_census(os.path.join(REAL, name))
    assert rows.num_rows == num_rows
    assert pc.sum(rows["label"]).as_py() == positive
    assert pc.sum(pc.equal(rows["occupation"], "?")).as_py() == (1843 if positive > 4000 else 966)
