import pytest

from transforms.base.errors import UserError
from transforms.parsing.rating_header import TITLES, parse_header


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("userId,movieId,rating,timestamp", TITLES),
        ("timestamp, rating,userId,movieId\r\n", ("timestamp", "rating", "userId", "movieId")),
        # The 2018 code's, Amazon's, RecBole's, Book-Crossing's, and one with an index before it.
        ("user_id,item_id,rating,timestamp", TITLES),
        (
            "user_id,parent_asin,rating,verified,timestamp",
            ("userId", "movieId", "rating", "verified", "timestamp"),
        ),
        ("user_id:token,item_id:token,rating:float,timestamp:float", TITLES),
        ('"User-ID","ISBN","Book-Rating","time"', TITLES),
        (",user,item,stars,Time", ("", *TITLES)),
        # What has the very name is meant, and what is like it is left alone.
        (
            "userId,user,movieId,item,rating,timestamp",
            ("userId", "user", "movieId", "item", "rating", "timestamp"),
        ),
    ],
)
def test_columns_are_known_by_what_people_call_them(header, fields):
    assert parse_header(header.encode(), "r.csv") == list(fields)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "user,user_id,item,rating,time",
            "column userId .* any of user, user_id; leave one",
        ),
        ("userId,movieId,rating,rating,timestamp", "column rating .* any of rating, rating; leave"),
        ("who,what,when", "column userId, movieId, rating, timestamp must occur once"),
        ("user;item;rating;time", "'user;item;rating;time': it has semicolons where commas are"),
        ('"user";"item";"rating";"time"', "it has semicolons where commas are wanted"),
        ("user\titem\trating\ttime", "it has tabs where commas are wanted"),
        ("user|item|rating|time", "it has bars where commas are wanted"),
        ("user::item::rating::time", "it has double colons where commas are wanted"),
        (
            "user,item,time",
            "column rating must .*; ncf looks at no stars, so for it a column",
        ),
        ("user,item,rating", "column timestamp must .*; without times it is not known which item"),
        (
            "user,item",
            "column rating, timestamp must occur once in the header, which is",
        ),
    ],
)
def test_a_header_that_is_not_understood_is_refused_with_its_cause(header, message):
    with pytest.raises(UserError, match=rf"^r\.csv:1: .*{message}") as caught:
        parse_header(header.encode(), "r.csv")
    assert str(caught.value).endswith(("mend the header", "leave one of them"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_another_encoding_is_called_by_its_name(encoding):
    header = "userId,movieId,rating,timestamp\n".encode(encoding)
    with pytest.raises(UserError, match="is UTF-16: save the file as UTF-8; mend the header"):
        parse_header(header, "r.csv")
