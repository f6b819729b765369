"""What values of a table are instead of what is wanted, and what to do about it."""

import re
from typing import NamedTuple

_MISSING = ("", r"\N", "NULL", "NA", "N/A", "NaN", "None")
_SHORTENED = re.compile(r"\d+([.,]\d+)?e\+\d+", re.ASCII | re.IGNORECASE)
_POINT = re.compile(r"(-?\d+)\.0+", re.ASCII)
_COMMA = re.compile(r"\d+,\d+", re.ASCII)


class Cause(NamedTuple):
    """Why a value is not the number that is wanted.

    Attributes:
        what: What it is, for people.
        remedy: What to do, in all rows.
    """

    what: str
    remedy: str


def cause_of(text: str) -> Cause | None:
    """Returns why a text is not the number that is wanted, if it looks like something else.

    Args:
        text: A value without blanks around it, which is no number of the kind that is wanted.
    """
    if text.upper() in map(str.upper, _MISSING):
        return Cause("a missing value", "fill it in or leave the row out")
    if _SHORTENED.fullmatch(text):
        return Cause(
            "a number that a spreadsheet shortened", "export it anew, with all of its digits"
        )
    if match := _POINT.fullmatch(text):
        return Cause("written with a decimal point", f"write {match[1]} for {text}, in all rows")
    if _COMMA.fullmatch(text):
        return Cause("written with a decimal comma", f"write {text.replace(',', '.')} for it")
    return None
