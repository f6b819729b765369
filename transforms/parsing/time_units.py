"""How times are written: in seconds or parts of them since 1970, or as dates."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from transforms.parsing.rating_scale import LATEST_SECOND

_DATE = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)


class TimeUnit(NamedTuple):
    """How all times of a file are written.

    Attributes:
        name: For people.
        type: What Arrow reads them as.
        per_second: How many of it are a second; of dates, those that Arrow reads.
        first: The least number, so that no number is of two units.
    """

    name: str
    type: pa.DataType
    per_second: int
    first: int = 0

    @property
    def last(self) -> int:
        """The greatest number, in the year 2106."""
        return (LATEST_SECOND + 1) * self.per_second - 1


SECONDS = TimeUnit("seconds", pa.int64(), 1)
# With decimals, what is less is a day as a spreadsheet counts them.
_LEAST_DECIMAL = 10**8
_DECIMAL_SECONDS = TimeUnit("seconds with decimals", pa.float64(), 1)
_PARTS = [
    TimeUnit(name, pa.int64(), 1000**power, (LATEST_SECOND + 1) * 1000 ** (power - 1))
    for power, name in enumerate(("milliseconds", "microseconds", "nanoseconds"), 1)
]
_DATES = TimeUnit("dates without a zone, taken as UTC", pa.timestamp("us"), 10**6)
_ZONED = TimeUnit("dates with a zone", pa.timestamp("us", "UTC"), 10**6)


def unit_of(text: str) -> TimeUnit | None:
    """Returns the unit of a time without blanks around it; None if it is no time."""
    if match := _NUMBER.fullmatch(text):
        if match[1]:
            return _DECIMAL_SECONDS if _LEAST_DECIMAL <= float(text) <= LATEST_SECOND else None
        return next((u for u in (SECONDS, *_PARTS) if u.first <= int(text) <= u.last), None)
    if match := _DATE.fullmatch(text):
        return _ZONED if match[4] else _DATES
    return None


def find_unit(times: Iterable[str]) -> TimeUnit:
    """Returns the unit of the first of them that is a time; seconds if none is."""
    return next((unit for text in times if (unit := unit_of(text))), SECONDS)


def time_fault(text: str, unit: TimeUnit, wanted: str = "") -> str:
    """Returns what is wrong with a time of a file, as the end of "is ...", or "".

    Args:
        text: It, without blanks around it.
        unit: That of the file's first time.
        wanted: A clause that says of the unit why it is to be that one, if not for the first time.
    """
    own = unit_of(text)
    if own == unit or (own == SECONDS and unit == _DECIMAL_SECONDS):
        return ""
    if own:
        wanted = wanted or f"the file's first is in {unit.name}"
        return f"in {own.name}, and {wanted}"
    if re.fullmatch(r"-?\d+", text, re.ASCII):
        return "negative" if text.startswith("-") else "after the year 2106"
    if re.fullmatch(r"\d{5}[.,]\d+", text, re.ASCII):
        return "not a time (a day as a spreadsheet counts them)"
    return "not a time"
