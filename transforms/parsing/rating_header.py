"""Finds the columns of a ratings file by name or by number."""

import csv
from collections.abc import Mapping, Sequence

from transforms.base.errors import UserError
from transforms.parsing.column_names import ITEM, places_of

RATING_TITLES = ("user_id", "item_id", "rating", "timestamp")
"""What the columns are called once they are read, in the order of files without a header."""

SETTING_TITLES = dict(zip(("user", "item", "rating", "time"), RATING_TITLES, strict=True))
"""What the setting `columns` calls them."""

KNOWN = {
    "user_id": ("userId", "user", "reviewerid"),
    "item_id": ("movieId", *ITEM),
    "rating": ("rating", "ratings", "stars", "overall", "bookrating", "plays", "playcount"),
    "timestamp": ("timestamp", "time", "unixreviewtime"),
}
"""Names that columns have, by their titles; the first of each is meant where it is there."""


def parse_columns(columns: str) -> dict[str, str]:
    """Returns the name, or the number, of each column by its title in RATING_TITLES.

    Args:
        columns: Such as "user:User-ID,item:ISBN,rating:Book-Rating"; "" is none.

    Raises:
        ValueError: It is not of that form, or lacks user or item; the message is the rule.
    """
    parts = [part.partition(":") for part in columns.split(",")] if columns else []
    found = {SETTING_TITLES.get(title.strip(), ""): name.strip() for title, _, name in parts}
    whole = len(found) == len(parts) and all(found) and all(found.values())
    if not whole or (found and not {"user_id", "item_id"} <= {*found}):
        raise ValueError(f"of the form {_EXAMPLE}; rating and time may lack")
    if len(set(map(str.isdigit, found.values()))) > 1:
        raise ValueError("names in all places, or numbers from 1 in all")
    if len({*found.values()}) < len(found):
        raise ValueError("of a column each")
    return found


_EXAMPLE = "user:NAME,item:NAME,rating:NAME,time:NAME"


def how_to_name(title: str = "") -> str:
    """Returns how to say which column is which, at the end of a message."""
    named = f"user:NAME,item:NAME,{title}:NAME" if title else _EXAMPLE
    return f"say which column is which, by name or number, with columns={named}"


def find_named(place: str, names: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Returns where columns are, by their titles; nothing if users or items are not there.

    Args:
        place: File and line, for messages.
        names: What the header has.
        columns: The name of each column that is wanted; those of common use if it is empty.

    Raises:
        UserError: One may be any of several.
    """
    known = {title: (name,) for title, name in columns.items()} or KNOWN
    found = {title: places_of(names, others) for title, others in known.items()}
    if not (found["user_id"] and found["item_id"]) or (columns and not all(found.values())):
        return {}
    for title, places in found.items():
        if len(places) > 1:
            raise UserError(
                f"{place}: column {title} may be any of "
                f"{', '.join(names[at] for at in places)[:200]}; {how_to_name()}"
            )
    return {title: places[0] for title, places in found.items() if places}


def find_numbered(fields: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Returns where columns are that have numbers from 1; nothing if a row has too few fields."""
    places = {title: int(number) - 1 for title, number in columns.items()}
    return places if all(0 <= at < len(fields) for at in places.values()) else {}


def split_row(row: str, separator: str) -> list[str]:
    """Returns the fields of a row."""
    if len(separator) > 1:
        return row.split(separator)
    try:
        return next(csv.reader([row], delimiter=separator), [])
    except csv.Error:
        return [row]
