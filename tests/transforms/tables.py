"""Ratings files of tests, read whole."""

import glob
import os

from transforms.parsing.rating_rules import STARS, RatingRules
from transforms.parsing.rating_table import RatingTable, find_table
from transforms.read_ratings import read_blocks, read_range


def table_of(path, columns=None, needs_rating: bool = True) -> RatingTable:
    """Returns how a file is written."""
    return find_table(str(path), os.path.getsize(path), columns or {}, needs_rating)


def read_table(path, rules: RatingRules = STARS, columns=None, block_bytes: int = 1 << 20):
    """Returns the rows of a file, read in blocks."""
    table = table_of(path, columns, rules.needs_rating)
    if table.plain:
        blocks = (
            read_range(table, start, min(start + block_bytes, table.size), rules)
            for start in range(table.start, table.size, block_bytes)
        )
    else:
        blocks = read_blocks(table, block_bytes, rules)
    return [row for ratings, _ in blocks for row in zip(*ratings.to_pydict().values(), strict=True)]


def folder_pattern(folder) -> str:
    """Returns what an executor looks for in a folder."""
    return f"{glob.escape(str(folder))}/*"
