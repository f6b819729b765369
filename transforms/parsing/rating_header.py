"""Finds the columns of a ratings file by its header."""

import contextlib
import csv

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import line_fault
from transforms.parsing.column_names import ITEM, find_columns

_KNOWN = {
    "userId": ("user", "reviewerid"),
    "movieId": ITEM,
    "rating": ("ratings", "stars", "overall", "bookrating"),
    "timestamp": ("time", "unixreviewtime"),
}
TITLES = tuple(_KNOWN)
"""As MovieLens' own CSV files call the columns."""

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", "::": "double colons"}
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
    places = find_columns(path, names, _KNOWN, lambda missing: _why_missing(missing, text))
    for title, at in zip(TITLES, places, strict=True):
        names[at] = title
    return names


def _encoding_fault(line: bytes) -> str:
    # Of its letters, every other byte is 0.
    halves = {line[:40:2].strip(b"\0"), line[1:40:2].strip(b"\0")}
    utf_16 = line.startswith((b"\xff\xfe", b"\xfe\xff")) or (b"\0" in line and b"" in halves)
    return "is UTF-16: save the file as UTF-8" if utf_16 else ""


def _why_missing(missing: list[str], text: str) -> str:
    for separator, words in _SEPARATORS.items():
        parts = [part.strip().strip('"') for part in text.split(separator)]
        with contextlib.suppress(UserError):
            find_columns("", parts, {title: _KNOWN[title] for title in missing})
            return f": it has {words} where commas are wanted"
    return _WITHOUT[missing[0]] if len(missing) == 1 and missing[0] in _WITHOUT else ""
