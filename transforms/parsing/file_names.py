"""What files of ratings and of movies are called: those that are meant, and no others."""

import glob
import os
import re
from collections.abc import Sequence

from transforms.base.errors import UserError

_TYPE = r"\.(csv|tsv|txt|dat|parquet)"
_PACKED = r"(\.(gz|zst))?"
_RATINGS = re.compile(rf"ratings?{_TYPE}{_PACKED}|u\.data|.+\.inter{_PACKED}", re.IGNORECASE)
_MOVIES = re.compile(rf"movies?{_TYPE}{_PACKED}|u\.item|.+\.item{_PACKED}", re.IGNORECASE)
_FOLDER = re.compile(rf"ratings?({_TYPE})?", re.IGNORECASE)
_PART = re.compile(rf"part-.+{_TYPE}{_PACKED}", re.IGNORECASE)

RATINGS = "ratings.csv (or .tsv, .txt, .dat, .parquet, also .gz or .zst), u.data or NAME.inter"
MOVIES_GLOBS = ("[mM]ovie*", "*.item*")
"""What every name of a movies file fits."""

MOVIES = "movies.csv (or the like), u.item or NAME.item"


def is_table(path: str) -> bool:
    """Returns whether a path has the name of a file, and not of a folder of files."""
    return bool(re.fullmatch(rf".+({_TYPE}{_PACKED}|\.inter{_PACKED}|\.data)", path, re.IGNORECASE))


def folder_of(base: str) -> str:
    """Returns the folder of a data set, be `base` it or the set's one file."""
    return os.path.dirname(base) if is_table(base) else base


def pattern_in(base: str, pattern: str) -> str:
    """Returns a glob of a data set's files.

    Args:
        base: Its folder or its one file; the marks of a pattern are parts of its name.
        pattern: A glob in the folder.
    """
    return glob.escape(base) if is_table(base) else os.path.join(glob.escape(base), pattern)


def ratings_among(folder: str, names: Sequence[str]) -> list[str]:
    """Returns the names of the files that have a data set's ratings, in order.

    That is one file, or the parts of one: `part-*` in the folder or in one called `ratings`.

    Args:
        folder: Where they are, for messages.
        names: Of all files in it, and of those in the folders in it as `folder/name`.

    Raises:
        UserError: There are two candidates.
    """
    files = [[name] for name in names if _RATINGS.fullmatch(name)]
    parts: dict[str, list[str]] = {}
    for name in names:
        inside, slash, base = name.rpartition("/")
        whole = _FOLDER.fullmatch(inside) and base[:1] not in "._" if slash else _PART.match(name)
        if whole:
            parts.setdefault(inside, []).append(name)
    return _only(folder, [*files, *parts.values()], "--dataset")


def movies_among(folder: str, names: Sequence[str]) -> list[str]:
    """Returns the name of the file that has a data set's movies, or nothing.

    Args:
        folder: As in `ratings_among`.
        names: As in `ratings_among`.

    Raises:
        UserError: There are two candidates.
    """
    return _only(folder, [[name] for name in names if _MOVIES.fullmatch(name)], "")


def _only(folder: str, candidates: list[list[str]], option: str) -> list[str]:
    if len(candidates) > 1:
        shown = " and ".join(group[0] for group in candidates[:3])
        which = f", or name one, such as {option} {folder}/{candidates[0][0]}" if option else ""
        raise UserError(
            f"{folder}: holds {shown}, and it is not known which is meant; keep one{which}"
        )
    return sorted(candidates[0]) if candidates else []
