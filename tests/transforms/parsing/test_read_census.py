import os
import random

import pyarrow.compute as pc
import pytest

from transforms.base.errors import UserError
from transforms.parsing.read_census import CENSUS_COLUMNS, find_census, read_census

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
    rows, _ = read_census(write(tmp_path, f"{ROW}\n{RICH}\n"))
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
        f"{ROW}\n{RICH}\r\n",
        f"{ROW.replace(', ', ',')}\n{RICH}",
        f"\xef\xbb\xbf{ROW}\n{RICH}\n",
        f"\xef\xbb\xbf|first\n{ROW}\n{RICH}\n",
    ],
    ids=["as in adult.test", "CRLF", "blank", "mixed ends", "no spaces", "BOM", "BOM and comment"],
)
def test_spellings_of_the_same_rows_are_equal(tmp_path, tally, text):
    expected, _ = read_census(write(tmp_path, f"{ROW}\n{RICH}\n", "expected"))

    def check():
        assert read_census(write(tmp_path, text))[0].equals(expected)
        return "right"

    tally.judge("broken files", check)


# A fault; the row that has it; and why it is refused.
ROW_FAULTS = [
    ("letters in a number", ROW.replace("39", "x9"), "age 'x9' is not an integer"),
    ("no number", ROW.replace("39, ", " , "), "age '' is not an integer (a missing value); fill"),
    ("a decimal", ROW.replace("39", "3.5"), "age '3.5' is not an integer"),
    ("a hexadecimal number", ROW.replace("39", "0x1F"), "age '0x1F' is not an integer"),
    ("a plus sign", ROW.replace("39", "+39"), "age '+39' is not an integer"),
    ("an exponent", ROW.replace("77516", "7e4"), "fnlwgt '7e4' is not an integer"),
    ("? for a number", ROW.replace("39", "?"), "age '?' is not an integer"),
    (
        "a number past int64",
        ROW.replace("2174", "9" * 30),
        f"capital_gain '{'9' * 30}' is not an integer",
    ),
    ("an empty category", ROW.replace("State-gov", ""), "workclass '' is empty"),
    ("a category of spaces", ROW.replace("White", "   "), "race '' is empty"),
    ("an unknown bracket", ROW.replace("<=50K", "50K"), "income_bracket '50K' is neither"),
    ("two full stops", ROW.replace("<=50K", "<=50K.."), "income_bracket '<=50K..' is neither"),
    ("a label of 0 or 1", ROW.replace("<=50K", "1"), "income_bracket '1' is neither"),
    ("an escaped bracket", ROW.replace("<=", "&lt;="), "income_bracket '&lt;=50K' is neither"),
    ("a cut row", ROW[:60], "has 7 fields, not 15"),
    ("a field too few", ROW.replace(", White", ""), "has 14 fields, not 15"),
    ("a field too many", f"{ROW}, 1", "has 16 fields, not 15"),
    ("columns swapped", ROW.replace("39, State-gov", "State-gov, 39"), "age 'State-gov' is not"),
    ("semicolons", ROW.replace(",", ";"), "has 1 fields, not 15"),
    ("tabs", ROW.replace(", ", "\t"), "has 1 fields, not 15"),
    ("quoted values", '"' + ROW.replace(", ", '", "') + '"', "age '\"39\"' is not an integer"),
    ("a later comment", "|a later comment", "'|a later comment' has 1 fields"),
    ("a header", ", ".join(CENSUS_COLUMNS.names), "is a second header"),
    ("Latin-1", ROW.replace("White", "\xff"), "is not UTF-8"),
    ("a NUL byte", ROW.replace("White", "Wh\0te"), "holds a NUL byte"),
    ("an old Mac line end", f"{ROW}\r{ROW}", "holds a carriage return, which ends no line"),
]


@pytest.mark.parametrize(
    ("bad", "message"), [row[1:] for row in ROW_FAULTS], ids=[row[0] for row in ROW_FAULTS]
)
def test_a_malformed_row_names_file_line_column_and_value(tmp_path, tally, bad, message):
    path = write(tmp_path, f"|first\n{ROW}\n\n{RICH}\n{bad}\n{ROW}\n")

    def check():
        with pytest.raises(UserError) as error:
            read_census(path)
        assert str(error.value).startswith(f"{path}:5: ")
        assert message in str(error.value)
        assert str(error.value).endswith(("; mend the row or remove it", "or leave the row out"))
        assert "\n" not in str(error.value)
        return "refused"

    tally.judge("broken files", check)


def test_a_line_of_10_mb_is_refused(tmp_path, tally):
    path = write(tmp_path, f"{ROW}\n{'9' * 10_000_000}\n")

    def check():
        with pytest.raises(UserError, match=f"{path}:2: the line is longer than 131072 bytes"):
            read_census(path)
        return "refused"

    tally.judge("broken files", check)


@pytest.mark.parametrize("text", ["", "\n\n", "|1x3 Cross validator\n", "|1x3"])
def test_a_file_without_rows_is_an_error(tmp_path, tally, text):
    def check():
        with pytest.raises(UserError, match="holds no rows"):
            read_census(write(tmp_path, text))
        return "refused"

    tally.judge("broken files", check)


def test_files_are_found_by_extension(tmp_path):
    for name in ("adult.test", "adult.data", "adult.names", "adult.old.data", "adult.data~"):
        write(tmp_path, ROW, name)
    assert find_census(f"{tmp_path}/adult.*") == {
        ".data": [f"{tmp_path}/adult.data"],
        ".test": [f"{tmp_path}/adult.test"],
        ".csv": [],
    }
    assert not any(find_census(f"{tmp_path}/none.*").values())


@pytest.mark.parametrize("other", ["adult.data", "adult.test"])
def test_one_file_for_both_splits_beside_those_of_each_is_a_question(tmp_path, other):
    path = write(tmp_path, ROW, "adult.csv")
    assert find_census(f"{tmp_path}/adult.*")[".csv"] == [path]
    write(tmp_path, ROW, other)
    with pytest.raises(UserError, match=rf"adult\.csv: lies beside .*{other}; keep one of the two"):
        find_census(f"{tmp_path}/adult.*")


# As Kaggle and OpenML have them.
HEADERS = (
    "age,workclass,fnlwgt,education,education.num,marital.status,occupation,relationship,race,sex,"
    "capital.gain,capital.loss,hours.per.week,native.country,income",
    "age,workclass,fnlwgt,education,educational-num,marital-status,occupation,relationship,race,"
    "gender,capital-gain,capital-loss,hours-per-week,native-country,income",
    "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,"
    "capital-gain,capital-loss,hours-per-week,native-country,class",
    ",".join([*CENSUS_COLUMNS.names[:-1], "income_bracket"]),
)
QUOTED = '"' + ROW.replace(", ", '","') + '"'


@pytest.mark.parametrize("name", ["adult.csv", "adult.data"])
@pytest.mark.parametrize("header", HEADERS)
def test_columns_are_found_by_what_people_call_them(tmp_path, header, name):
    expected, _ = read_census(write(tmp_path, f"{ROW}\n{RICH}\n", "expected"))
    for rows in (f"{ROW}\n{RICH}\n", f"{ROW.replace(' ', '')}\r\n\r\n{RICH}.", f"{QUOTED}\n{RICH}"):
        for text in (f"{header}\n{rows}", f"\xef\xbb\xbf\n {header} \r\n{rows}"):
            assert read_census(write(tmp_path, text, name))[0].equals(expected)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_may_be_in_any_order_among_others(tmp_path, delimiter):
    expected, _ = read_census(write(tmp_path, f"{ROW}\n{RICH}\n", "expected"))
    order = random.Random(0).sample(range(17), 17)

    def shuffled(line, *more):
        fields = [*line.split(","), *more]
        return delimiter.join(fields[at] for at in order)

    lines = [shuffled(HEADERS[0], "", "Note"), shuffled(ROW, "0", ""), shuffled(RICH, "1", "x y")]
    found, bad = read_census(write(tmp_path, "\n".join(lines), "adult.csv"))
    assert found.equals(expected) and not bad.total


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{HEADERS[0].replace('sex,', '').replace('income', 'pay')}\n{ROW}\n",
            ":1: column gender, income_bracket must occur once in the header, which is 'age,",
        ),
        (f"{HEADERS[0].replace('race', 'Gender')}\n{ROW}\n", ":1: .* any of Gender, sex; leave"),
        (f"{HEADERS[0]}\r{ROW}\r", ":1: the header 'age,workclass,.* holds a carriage return"),
        (f"{HEADERS[0]}\n", ": the file holds no rows"),
        (f"{HEADERS[0]}\n{ROW}\n{ROW}, x\n", ":3: .* has 16 fields, not 15"),
        (f"{HEADERS[0]}\n{ROW}\n{HEADERS[0]}\n", ":3: .* is a second header"),
        (
            f"{HEADERS[0]}\n{ROW.replace('39', '39.0')}\n",
            r":2: age '39.0' is not an integer \(written with a decimal point\); write 39 for 39.0",
        ),
        (
            f"{HEADERS[0]}\n{ROW.replace('White', '')}\n",
            r":2: race '' is empty \(unknown is written",
        ),
        (f"{HEADERS[0]}\n{QUOTED[:-1]}\n", ":2: .*: unexpected end of data"),
        (f"{HEADERS[0]}\n{ROW.replace('White', 'Wh')}\n{QUOTED}x\n", ":3: .*expected after"),
        (f"{HEADERS[0]}\n" + ROW.replace("White", '"White"'), ":2: .*has a quote inside a value"),
    ],
)
def test_a_named_file_that_is_malformed_is_told_of_by_line(tmp_path, text, message):
    path = write(tmp_path, text, "adult.csv")
    with pytest.raises(UserError, match=f"^{path}{message}") as error:
        read_census(path)
    assert "\n" not in str(error.value)


def test_utf_16_is_read_and_its_lines_are_counted(tmp_path):
    path = tmp_path / "adult.csv"
    path.write_bytes(f"{HEADERS[0]}\r\n{ROW}\r\n".encode("utf-16"))
    assert read_census(str(path))[0].num_rows == 1
    path.write_bytes(f"{HEADERS[0]}\r\n{ROW}\r\n1\r\n".encode("utf-16"))
    with pytest.raises(UserError, match=r"adult\.csv:3: '1' has 1 fields, not 15"):
        read_census(str(path))


@pytest.mark.skipif(not os.path.isdir(REAL), reason="needs the original files")
@pytest.mark.parametrize(
    ("name", "num_rows", "positive"), [("adult.data", 32561, 7841), ("adult.test", 16281, 3846)]
)
def test_the_original_files_are_read_whole(name, num_rows, positive):
    rows, _ = read_census(os.path.join(REAL, name))
    assert rows.num_rows == num_rows
    assert pc.sum(rows["label"]).as_py() == positive
    assert pc.sum(pc.equal(rows["occupation"], "?")).as_py() == (1843 if positive > 4000 else 966)
