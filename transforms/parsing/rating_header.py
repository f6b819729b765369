"""Finds the columns of a ratings file by its header."""

import csv
import re

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import line_fault

TITLES = ("userId", "movieId", "rating", "timestamp")
"""As MovieLens' own CSV files call the columns."""

# What others call them, in small letters without what lies between words.
_ALSO = {
    "userId": ("user", "reviewerid"),
    "movieId": ("movie", "item", "itemid", "isbn", "asin", "parentasin"),
    "rating": ("ratings", "stars", "overall", "bookrating"),
    "timestamp": ("time", "unixreviewtime"),
}
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", "::": "double colons"}
# RecBole's, at the end of a name.
_TYPE = re.compile(r":(token|float)(_seq)?$")
_WITHOUT = {
    "rating": "; ncf looks at no stars, so for it a column rating may hold 1 in every row",
    "timestamp": "; without times it is not known which item of a user is the last",
}


def parse_header(line: bytes, path: str) -> list[str]:
    """Returns the column names in a CSV file's first line, which has no byte order mark.

    The four columns that are needed have the names of TITLES then, whatever the file calls them.

    Raises:
        UserError: One of the four is not there, or may be either of two columns, or the line is no
            header of a CSV file in UTF-8; the message names the cause.
    """
    text = line.decode(errors="replace").strip()
    fault = _encoding_fault(line) or line_fault(line.rstrip(b"\r\n"))
    try:
        names = [] if fault else [name.strip() for name in next(csv.reader([text]), [])]
    except csv.Error as error:
        fault = str(error)
    if fault:
        raise UserError(f"{path}:1: the header {text[:100]!r} {fault}; mend the header")
    found = {title: _places(title, names) for title in TITLES}
    for title, places in found.items():
        if len(places) > 1:
            raise UserError(
                f"{path}:1: column {title} must occur once in the header, and may be any of "
                f"{', '.join(names[at] for at in places)[:200]}; leave one of them"
            )
    if missing := [title for title, places in found.items() if not places]:
        raise UserError(
            f"{path}:1: column {', '.join(missing)} must occur once in the header, which is "
            f"{','.join(names)[:200]!r}{_why_missing(missing, text)}; mend the header"
        )
    for title, (at,) in found.items():
        names[at] = title
    return names


def _places(title: str, names: list[str]) -> list[int]:
    """Returns where a column may be: where its own name is, if it is there at all."""
    own = [at for at, name in enumerate(names) if name == title]
    known = (_plain(title), *_ALSO[title])
    return own or [at for at, name in enumerate(names) if _plain(name) in known]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", _TYPE.sub("", name.lower()))


def _encoding_fault(line: bytes) -> str:
    # Of its letters, every other byte is 0.
    halves = {line[:40:2].strip(b"\0"), line[1:40:2].strip(b"\0")}
    utf_16 = line.startswith((b"\xff\xfe", b"\xfe\xff")) or (b"\0" in line and b"" in halves)
    return "is UTF-16: save the file as UTF-8" if utf_16 else ""


def _why_missing(missing: list[str], text: str) -> str:
    """Returns, in the middle of a message, what may be the cause."""
    for separator, words in _SEPARATORS.items():
        parts = [part.strip().strip('"') for part in text.split(separator)]
        if any(_places(title, parts) for title in missing):
            return f": it has {words} where commas are wanted"
    return _WITHOUT[missing[0]] if len(missing) == 1 and missing[0] in _WITHOUT else ""
