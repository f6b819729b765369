"""How files with the columns of UCI Adult are laid out: what people call them, and their order."""

import csv
import re
from typing import NamedTuple

from transforms.base.errors import UserError
from transforms.parsing.bad_rows import line_fault
from transforms.parsing.column_names import find_columns, find_delimiter

LABEL = "income_bracket"

CENSUS_NAMES = {
    "age": (),
    "workclass": (),
    "fnlwgt": ("finalweight",),
    "education": (),
    "education_num": ("educationalnum", "educationyears"),
    "marital_status": ("marital",),
    "occupation": (),
    "relationship": (),
    "race": (),
    "gender": ("sex",),
    "capital_gain": (),
    "capital_loss": (),
    "hours_per_week": ("hours",),
    "native_country": ("country",),
    LABEL: ("income", "class", "label", "target", "salary"),
}
"""Other names of each, in the order of the published files, as `find_columns` takes them."""

_FIRST_LINE = re.compile(rb"\s*([^\n]*)\n?")


class Layout(NamedTuple):
    """How a file spells its rows; by default as UCI does.

    Attributes:
        places: Where each of `CENSUS_NAMES` is among a row's fields.
        width: How many fields a row has.
        delimiter: What is between them.
        quoted: Whether values may be in quotes.
    """

    places: tuple[int, ...] = tuple(range(len(CENSUS_NAMES)))
    width: int = len(CENSUS_NAMES)
    delimiter: str = ","
    quoted: bool = False

    def split(self, line: str) -> list[str]:
        """Returns the values of a line, without the blanks around them.

        Raises:
            csv.Error: A quote is where none may be.
        """
        values = line.split(self.delimiter)
        if self.quoted and '"' in line:
            values = next(csv.reader([line], delimiter=self.delimiter, strict=True))
            if any('"' in value for value in values):
                raise csv.Error("has a quote inside a value")
        return [value.strip() for value in values]

    def misleads_arrow(self, rows: bytes) -> bool:
        """Returns whether Arrow may read "3"5 for 35, or two lines as one row."""
        if not self.quoted or b'"' not in rows:
            return False
        around = re.escape(self.delimiter).encode() + rb"\r\n"
        whole = rb'(?<![^%b])"[^"\r\n]*"(?![^%b])' % (around, around)
        return b'"' in re.sub(whole, b"", rows)


def find_layout(content: bytes, start: int, path: str) -> tuple[Layout, int]:
    """Returns the layout of a file and where its rows begin.

    Args:
        content: The file. Its first line may name the columns, as `CENSUS_NAMES` does or as people
            do, with commas, semicolons, tabs or bars between.
        start: Where the first line begins.
        path: The file's name.

    Raises:
        UserError: The first line names some of the columns, but not all.
    """
    first = _FIRST_LINE.match(content, start)
    line = first.group(1).rstrip(b"\r") if first else b""
    text = line.decode(errors="replace")
    delimiter = find_delimiter(text, CENSUS_NAMES)
    if not first or not delimiter:
        return Layout(), start
    if fault := line_fault(line):
        raise UserError(f"{path}:1: the header {text[:100]!r} {fault}; mend the header")
    names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter))]
    places = find_columns(path, names, CENSUS_NAMES)
    return Layout(tuple(places), len(names), delimiter, quoted=True), first.end()
