"""Integers as text."""

import re

_INTEGER = re.compile(r"-?\d+", re.ASCII)
_MOST_DIGITS = 19


def integer_fault(text: str) -> str:
    """Returns what is wrong with an int64 as text, as the end of "is ...", or ""."""
    if not _INTEGER.fullmatch(text):
        return "not an integer"
    if len(text.lstrip("-0")) > _MOST_DIGITS or not -(2**63) <= int(text) < 2**63:
        return "outside the range of int64"
    return ""
