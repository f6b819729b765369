import numpy as np
import pyarrow as pa

from transforms.list_by_user import list_by_user

LOWEST, HIGHEST = -(2**63), 2**63 - 1
# The third and the fourth are one rating that came twice, with another number of stars.
ROWS = [
    {"user_id": HIGHEST, "item_id": 5, "rating": 4.0, "timestamp": 30, "genres": [1, 0]},
    {"user_id": LOWEST, "item_id": 7, "rating": 1.0, "timestamp": 20, "genres": [0, 0]},
    {"user_id": LOWEST, "item_id": 5, "rating": 3.0, "timestamp": 20, "genres": [1, 0]},
    {"user_id": LOWEST, "item_id": 5, "rating": 2.0, "timestamp": 20, "genres": [1, 0]},
    {"user_id": LOWEST, "item_id": 9, "rating": 5.0, "timestamp": 10, "genres": [1, 1]},
]
LISTS = [
    {
        "user_id": [LOWEST] * 4,
        "item_id": [9, 5, 5, 7],
        "rating": [5.0, 2.0, 3.0, 1.0],
        "timestamp": [10, 20, 20, 20],
        "genres": [1, 1, 1, 0, 1, 0, 0, 0],
    },
    {
        "user_id": [HIGHEST],
        "item_id": [5],
        "rating": [4.0],
        "timestamp": [30],
        "genres": [1, 0],
    },
]


def test_a_users_ratings_are_lists_in_one_order_whatever_the_order_they_came_in():
    rng = np.random.default_rng(0)
    for _ in range(5):
        rows = pa.RecordBatch.from_pylist([ROWS[at] for at in rng.permutation(len(ROWS))])
        assert list_by_user(rows).to_pylist() == LISTS
    assert list_by_user(pa.RecordBatch.from_pylist(ROWS[:1])).to_pylist() == LISTS[1:]
