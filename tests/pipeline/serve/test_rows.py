import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.pipelines.registry import definition
from pipeline.serve.rows import read_rows
from transforms.base.errors import UserError

CENSUS, MOVIELENS = (definition(name).predict for name in ("census", "movielens"))
NAMES = tuple(CENSUS.columns())
PERSON = "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, "
PERSON += "Male, 2174, 0, 40, United-States"
COLUMNS = {
    name: [int(value) if value.isdecimal() else value]
    for name, value in zip(NAMES, PERSON.split(", "), strict=True)
}
HEADER = ",".join(NAMES)


def refuse(line):
    pytest.fail(f"warned: {line}")


def read(tmp_path, rows, content, warn=refuse, name="rows.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(str(path), rows, warn)


@pytest.mark.parametrize(
    ("rows", "content", "message"),
    [
        (CENSUS, f"{PERSON}\n{PERSON}, <=50K, x\n", ":2: has 16 fields, not 14 or 15"),
        (CENSUS, PERSON.replace("39", "x9"), ":1: age 'x9' is not an integer"),
        (CENSUS, f"|1x3\n{PERSON.replace('39', 'x9')}", ":2: age 'x9' is not an integer"),
        (CENSUS, f"{PERSON}\n|1x3\n", ":2: has 1 fields, not 14 or 15"),
        (CENSUS, PERSON.replace("Male", "Ma\0le"), ":1: holds a NUL byte"),
        (
            CENSUS,
            f"\n\n{PERSON.replace('Male', '')}",
            ":3: gender '' is a missing value; write ? for what is not known",
        ),
        (
            CENSUS,
            f"{HEADER}\n{PERSON.replace('State-gov', 'NaN')}",
            ":2: workclass 'NaN' is a missing value; write ?",
        ),
        (CENSUS, f"{HEADER}\n{PERSON}\n{HEADER}\n", ":3: is a second header; remove the line"),
        (
            CENSUS,
            f"{HEADER.replace('race', 'rice')}\n",
            ":1: column race must occur once in the header, which is 'age,workclass,",
        ),
        (
            CENSUS,
            f"{HEADER.replace('fnlwgt,', '').replace('age', 'years')}\n",
            ":1: column age, fnlwgt must occur once in the header, which is 'years,",
        ),
        (CENSUS, f"{HEADER.replace('gender', 'Sex')},GENDER\n", "may be any of Sex, GENDER"),
        (MOVIELENS, "a,b,c\n1,2,3\n", ":1: column user_id, item_id, timestamp must occur once"),
        (MOVIELENS, "1,2\n", ":1: has 2 fields, not 3"),
        (
            MOVIELENS,
            "user_id,item_id,timestamp\n1,2,3\n1,,3\n",
            ":3: item_id '' is not an integer (a missing value); fill it in",
        ),
        (MOVIELENS, "timestamp,item_id,user_id\n1,2,x\n", ":2: user_id 'x' is not an integer"),
        (
            MOVIELENS,
            "1.0,2,3\n",
            ":1: user_id '1.0' is not an integer (written with a decimal point); write 1 for 1.0",
        ),
        (MOVIELENS, "1,2,1500000000000\n", "is in milliseconds, and wanted in seconds since 1970"),
        (MOVIELENS, '1,"2\n",3\n1,x,3\n', ":3: item_id 'x' is not an integer"),
        (MOVIELENS, '1,"2,3\n', "unexpected end of data"),
        (MOVIELENS, "user_id,item_id,timestamp\n", "holds no rows; expected the columns user"),
        (MOVIELENS, "", "holds no rows"),
        (MOVIELENS, b"1,2,\xff\n", "is not UTF-8"),
    ],
)
def test_a_malformed_row_is_named_by_file_line_and_column(rows, content, message, tmp_path):
    with pytest.raises(UserError) as error:
        read(tmp_path, rows, content)
    assert str(error.value).startswith(str(tmp_path / "rows.csv"))
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        HEADER.replace("_", ".").replace("gender", "sex"),
        HEADER.replace("_", "-").upper(),
        HEADER.replace("education_num", "educational-num").replace("_", " "),
        HEADER.replace(",", '","').join('""'),
    ],
)
@pytest.mark.parametrize(
    "label", ["", "income_bracket", "income", "Class", "label", "target", "income.bracket"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_are_found_by_what_people_call_them(tmp_path, header, label, delimiter):
    lines = [header, PERSON]
    if label:
        lines = [f"{header},{label}", f"{PERSON}, >50K."]
    text = "\n".join(lines).replace(",", delimiter)
    assert read(tmp_path, CENSUS, text) == COLUMNS


@pytest.mark.parametrize(
    "header", ["userId,movieId,timestamp", "user,item,time", "User-ID,ISBN,unixReviewTime"]
)
def test_ratings_have_the_names_that_the_pipelines_files_have(tmp_path, header):
    expected = {"user_id": [7], "item_id": [5], "timestamp": [9]}
    assert read(tmp_path, MOVIELENS, f"{header}\n7,5,9\n") == expected


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (f"{PERSON}\n   \n\n".encode(), "rows.csv"),
        (f"\ufeff{HEADER}\r\n{PERSON}\r\n  \r\n".encode(), "rows.csv"),
        (f"{HEADER}\n{PERSON}\n".encode("utf-16"), "rows.csv"),
        (gzip.compress(f"|1x3\n{PERSON}, <=50K.\n".encode()), "rows.csv.gz"),
        (pa.compress(f"{PERSON}\n".encode(), "zstd", asbytes=True), "rows.csv.zst"),
    ],
    ids=["blank lines", "BOM", "UTF-16", "gzip", "Zstandard"],
)
def test_what_a_file_is_written_in_does_not_matter(tmp_path, content, name):
    assert read(tmp_path, CENSUS, content, name=name) == COLUMNS


def test_columns_that_the_model_does_not_take_are_named(tmp_path):
    warnings = []
    content = f",{HEADER},income,zip_code,hours_perweek\n0,{PERSON},>50K,x,1\n"
    assert read(tmp_path, CENSUS, content, warnings.append) == COLUMNS
    assert warnings == [
        f"{tmp_path}/rows.csv:1: the model takes no columns zip_code, hours_perweek: passed over"
    ]


def test_parquet_is_read_by_name(tmp_path):
    path, warnings = str(tmp_path / "rows.parquet"), []
    columns = {name.replace("_", "."): values * 2 for name, values in COLUMNS.items()}
    columns["workclass"] = pa.array([" State-gov"] * 2).dictionary_encode()
    pq.write_table(pa.table({"more": [1, 2], "lists": [[1], []], **columns}), path)
    twice = {name: values * 2 for name, values in COLUMNS.items()}
    assert read_rows(path, CENSUS, warnings.append) == twice
    assert warnings == [f"{path}:1: the model takes no column more: passed over"]

    pq.write_table(pa.table({**COLUMNS, "race": [None]}), path)
    with pytest.raises(UserError, match=r"parquet:2: race '' is a missing value; write \?"):
        read_rows(path, CENSUS, refuse)
    pq.write_table(pa.table({str(at): values for at, values in enumerate(COLUMNS.values())}), path)
    with pytest.raises(UserError, match=r"column age, workclass, .* must occur once in the header"):
        read_rows(path, CENSUS, refuse)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rows.csv.gz", r"rows\.csv\.gz: is damaged .*; fetch it again"),
        ("rows.parquet", r"rows\.parquet: is damaged .*; fetch it again"),
    ],
)
def test_a_file_that_is_not_what_it_is_called_is_refused(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, CENSUS, PERSON, name=name)


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_a_missing_file_is_named(name):
    with pytest.raises(UserError, match=rf"^{name}: .*No such file"):
        read_rows(name, CENSUS, refuse)


def test_of_a_long_value_that_is_none_only_the_beginning_is_told(tmp_path):
    with pytest.raises(UserError) as error:
        read(tmp_path, MOVIELENS, f"1,{'y' * 999},3\n")
    assert str(error.value).removeprefix(str(tmp_path)).count("y") == 100
