import pytest

from components.model_records.in_use import ServedModel
from pipeline.serve.ids import parse_id, read_ids
from transforms.base.errors import UserError


def trained(**data):
    """A model of a run with these settings of its data."""
    return ServedModel(
        folder="", identity="", record={"settings": {"data": {"string_ids": False, **data}}}
    )


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
        read_ids(str(path), trained(), "user_id")
    assert str(error.value).startswith(str(path)) and message in str(error.value)


def test_users_are_read_in_their_order(tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("\ufeff7\r\n\n 3 \n7\n", encoding="utf-8")
    assert read_ids(str(path), trained(), "user_id") == [7, 3]
    assert read_ids(str(path), trained(string_ids=True), "user_id") == ["7", "3"]


def test_a_user_is_what_the_model_takes_or_one_line(tmp_path):
    strings = trained(string_ids=True)
    assert parse_id("0017", strings, "--user", "user_id") == "0017"
    assert parse_id("0017", trained(string_ids=False), "--user", "user_id") == 17
    message = "--user: user_id 'ana-17' is not an integer, and this model's users are; mend it"
    with pytest.raises(UserError, match=message):
        parse_id("ana-17", trained(), "--user", "user_id")
    with pytest.raises(UserError, match="--user: user_id '' is empty; mend it"):
        parse_id(" ", strings, "--user", "user_id")


@pytest.mark.parametrize(
    ("header", "name"),
    [("userId", "user_id"), ("user_id\r", "user_id"), ("USER", "user_id"), ("movieId", "item_id")],
)
def test_a_first_line_that_names_the_column_is_no_id(header, name, tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text(f"{header}\n7\n", encoding="utf-8")
    assert read_ids(str(path), trained(string_ids=True), name) == ["7"]
    path.write_text(f"7\n{header}\n", encoding="utf-8")
    with pytest.raises(UserError, match=f":2: {name} "):
        read_ids(str(path), trained(), name)


def test_a_file_of_items_says_so(tmp_path):
    path = tmp_path / "stock.txt"
    path.write_text("\n")
    with pytest.raises(UserError, match="holds no item id; write one on each line"):
        read_ids(str(path), trained(), "item_id")
    path.write_text("1\nx\n")
    with pytest.raises(
        UserError, match=":2: item_id 'x' is not an integer, and this model's items"
    ):
        read_ids(str(path), trained(), "item_id")


def test_of_a_long_text_that_is_no_id_only_the_beginning_is_told():
    for served, text in ((trained(), "x" * 999), (trained(string_ids=True), "x" * 998 + "\0")):
        with pytest.raises(UserError) as error:
            parse_id(text, served, "--user", "user_id")
        assert str(error.value).count("x") == 100
