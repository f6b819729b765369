"""Finds columns by what people call them."""

import re
from collections.abc import Iterable, Mapping, Sequence

from transforms.base.errors import UserError

ITEM = ("movie", "item", "itemid", "isbn", "asin", "parentasin")
"""Names of an item's column, besides movieId."""

_DELIMITERS = ",;\t|"

# RecBole's, at the end of a name.
_TYPE = re.compile(r":(token|float)(_seq)?$")


def find_columns(path: str, names: Sequence[str], known: Mapping[str, Sequence[str]]) -> list[int]:
    """Returns where each column is.

    A column that has the very name is it. Otherwise case and what lies between words do not count.

    Args:
        path: The file, for the message.
        names: What its header has.
        known: Other names by that of each column that is wanted, in small letters without what
            lies between words.

    Raises:
        UserError: A column is not there, or may be any of several.
    """
    found = {title: places_of(names, (title, *others)) for title, others in known.items()}
    for title, places in found.items():
        if len(places) > 1:
            raise UserError(
                f"{path}:1: column {title} must occur once in the header, and may be any of "
                f"{', '.join(names[at] for at in places)[:200]}; leave one of them"
            )
    if missing := [title for title, places in found.items() if not places]:
        raise UserError(
            f"{path}:1: column {', '.join(missing)} must occur once in the header, which is "
            f"{','.join(names)[:200]!r}; mend the header"
        )
    return [at for (at,) in found.values()]


def places_of(names: Sequence[str], known: Sequence[str]) -> list[int]:
    """Returns where columns are that have a known name.

    Those that have the very first of `known` are they. Otherwise case and what lies between words
    do not count.
    """
    own = [at for at, name in enumerate(names) if name == known[0]]
    plain = [_plain(name) for name in known]
    return own or [at for at, name in enumerate(names) if _plain(name) in plain]


def names_columns(fields: Iterable[str], known: Mapping[str, Sequence[str]]) -> bool:
    """Returns whether one of a line's fields names a column, so that the line is a header.

    Args:
        fields: The line's.
        known: As in `find_columns`.
    """
    fields = list(fields)
    return any(places_of(fields, (title, *others)) for title, others in known.items())


def find_delimiter(line: str, known: Mapping[str, Sequence[str]]) -> str | None:
    """Returns what stands between the names of a header: comma, semicolon, tab or bar.

    Args:
        line: A file's first line.
        known: As in `find_columns`.

    Returns:
        None if the line is no header.
    """
    for delimiter in _DELIMITERS:
        if names_columns((name.strip(' \t"') for name in line.strip().split(delimiter)), known):
            return delimiter
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", _TYPE.sub("", name.lower()))
