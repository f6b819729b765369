import numpy as np
import pytest

from components.wide_deep_trainer.transformed_data import split_columns
from transforms.errors import UserError


def test_a_fifth_is_held_out_by_what_the_rows_are():
    users, items = np.repeat(np.arange(200), 20), np.tile(np.arange(20), 200)
    columns = {"user": users, "pair": np.stack([users, items], axis=1)}
    train, validation = split_columns(columns, 3, users, items)
    assert len(train["user"]) + len(validation["user"]) == len(users)
    assert 0.15 < len(validation["user"]) / len(users) < 0.25
    np.testing.assert_array_equal(validation["pair"][:, 0], validation["user"])

    some = items < 5
    part = {name: column[some] for name, column in columns.items()}
    _, fewer = split_columns(part, 3, users[some], items[some])
    assert set(map(tuple, fewer["pair"])) == {p for p in map(tuple, validation["pair"]) if p[1] < 5}
    assert len(split_columns(columns, 4, users, items)[1]["user"]) != len(validation["user"])


def test_a_row_alone_cannot_be_split():
    with pytest.raises(UserError, match="1 rows to train on are too few"):
        split_columns({"x": np.zeros(1)}, 0, np.zeros(1, int))
