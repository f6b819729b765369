import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.sort_rows import sort_rows

INT64 = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-5, 5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.one_of(SMALL, INT64), SMALL, st.one_of(SMALL, INT64)), min_size=1))
def test_rows_are_sorted_as_tuples_are_whatever_their_range(rows):
    columns = [np.array(column, np.int64) for column in zip(*rows, strict=True)]
    assert list(zip(*(c.tolist() for c in sort_rows(*columns)), strict=True)) == sorted(rows)


def test_rows_of_exactly_63_bits_are_packed_without_loss():
    low, high = np.array([2**31 - 1, 0]), np.array([0, 2**32 - 1])
    assert [c.tolist() for c in sort_rows(low, high)] == [[0, 2**31 - 1], [2**32 - 1, 0]]
