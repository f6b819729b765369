import csv
import os

import numpy as np
import pytest

from pipeline.datasets.census_sample import write_sample

REAL = os.path.join("..", "shared", "data", "census")
CATEGORICAL = (1, 3, 5, 6, 7, 8, 9, 13)
NUMERIC = (0, 4, 10, 11, 12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample")
    write_sample(str(path))
    return path


def rows(folder, name):
    with open(os.path.join(folder, name)) as file:
        read = [[field.strip().rstrip(".") for field in row] for row in csv.reader(file)]
    return [row for row in read if len(row) == 15]


def test_a_seed_determines_every_byte(folder, tmp_path):
    for seed in (0, 1):
        write_sample(str(tmp_path), seed)
        same = (tmp_path / "adult.data").read_bytes() == (folder / "adult.data").read_bytes()
        assert same == (seed == 0)


def test_files_have_the_ways_of_adult(folder):
    train = (folder / "adult.data").read_text().split("\n")
    test = (folder / "adult.test").read_text().split("\n")
    assert test[0] == "|1x3 Cross validator"
    assert train[-2:] == test[-2:] == ["", ""]
    assert len(train) == 4002 and len(test) == 2003
    assert all(line.count(", ") == 14 for line in train[:-2] + test[1:-2])
    assert all(line.endswith("50K.") for line in test[1:-2])
    for name in ("adult.data", "adult.test"):
        label = [row[-1] for row in rows(folder, name)]
        assert 0.22 < label.count(">50K") / len(label) < 0.26
        assert set(label) == {">50K", "<=50K"}


def test_every_category_occurs(folder):
    read = rows(folder, "adult.data")
    counts = [len({row[column] for row in read}) for column in CATEGORICAL]
    assert counts == [9, 16, 7, 15, 6, 5, 2, 42]
    assert len({(row[3], row[4]) for row in read}) == 16


@pytest.mark.skipif(not os.path.isdir(REAL), reason="the real files are not here")
def test_categories_are_those_of_the_real_files(folder):
    known, made = (list(zip(*rows(path, "adult.data"), strict=True)) for path in (REAL, folder))
    for column in CATEGORICAL:
        assert set(made[column]) == set(known[column])


def test_income_follows_from_the_columns(folder):
    train, test = rows(folder, "adult.data"), rows(folder, "adult.test")
    values = {c: sorted({row[c] for row in train}) for c in CATEGORICAL}

    def features(read):
        numbers = np.array([[float(row[c]) for c in NUMERIC] for row in read])
        numbers[:, 2:4] = np.log1p(numbers[:, 2:4])
        one_hot = [[row[c] == value for row in read] for c in CATEGORICAL for value in values[c]]
        return np.c_[np.ones(len(read)), numbers, numbers[:, 0] ** 2 / 50, np.transpose(one_hot)]

    def labels(read):
        return np.array([row[-1] == ">50K" for row in read], float)

    x, y = features(train), labels(train)
    weights = np.zeros(x.shape[1])
    # Logistic regression by Newton's method.
    for _ in range(8):
        p = 1 / (1 + np.exp(-x @ weights))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 0.1 * np.eye(len(weights))
        weights += np.linalg.solve(hessian, x.T @ (y - p) - 0.1 * weights)
    accuracy = ((features(test) @ weights > 0) == labels(test)).mean()
    assert accuracy > 1 - labels(test).mean() + 0.09
