"""Workload: the mean and biases of users and items in numpy, on the Examples of movielens.

What they measure is computed without a line of what the Evaluator does it with.
"""

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks.examples import write_rating_split
from benchmarks.timing import Timing, timed
from components.training.transformed_data import read_examples
from components.wide_deep_trainer.ratings import features
from transforms.join_movies import find_rows
from transforms.parsing.rating_scale import FEWEST_STARS, MOST_STARS

Splits = Mapping[str, Sequence[Mapping[str, Any]]]

# Those of Surprise's BaselineOnly.
_ITEM_DAMPING, _USER_DAMPING, _ROUNDS = 10.0, 15.0, 10


class Rated(NamedTuple):
    """Ratings, [ratings] each."""

    users: np.ndarray
    items: np.ndarray
    stars: np.ndarray


class Measured(NamedTuple):
    """What a model did on one split: training seconds, ratings trained on, RMSE."""

    seconds: float
    ratings: int
    rmse: float


def over_splits(splits: Splits, measure: Callable[[Mapping[str, Any]], Measured]) -> Timing:
    """Returns the time of all, with the mean of the RMSE on the splits of each kind.

    Args:
        splits: By kind, what a RatingSplitConfig is made of.
        measure: Makes a model for such a split.
    """
    found = {kind: [measure(split) for split in of_kind] for kind, of_kind in splits.items()}
    every = [each for of_kind in found.values() for each in of_kind]
    return Timing(
        [sum(each.seconds for each in every)],
        sum(each.ratings for each in every),
        figures={
            kind: statistics.mean(each.rmse for each in of_kind) for kind, of_kind in found.items()
        },
    )


def predict(folder: str, model: str, splits: Splits) -> Timing:
    """Times the making of a model, with the mean of the RMSE that it has on the splits of a kind.

    Args:
        folder: The data set's folder.
        model: A key of MODELS.
        splits: As for `over_splits`.
    """

    def measure(split: Mapping[str, Any]) -> Measured:
        with tempfile.TemporaryDirectory() as uri:
            write_rating_split(folder, uri, split)
            train, evaluated = (_read(f"{uri}/Split-{name}/*") for name in ("train", "eval"))
        stars: list[np.ndarray] = []
        (seconds,) = timed(lambda: stars.append(MODELS[model](train, evaluated)), repeats=1)
        errors = np.clip(stars[0], FEWEST_STARS, MOST_STARS) - evaluated.stars
        rmse = float(np.sqrt(np.mean(np.square(errors))))
        return Measured(seconds, len(train.stars), rmse)

    return over_splits(splits, measure)


def _read(pattern: str) -> Rated:
    names = (features.USER_ID, features.ITEM_ID, features.RATING)
    types = (tf.int64, tf.int64, tf.float32)
    spec = {name: tf.io.RaggedFeature(t) for name, t in zip(names, types, strict=True)}
    blocks = read_examples([pattern], spec)
    users, items, stars = (
        np.concatenate([block[name].flat_values.numpy() for block in blocks]) for name in names
    )
    return Rated(users, items, stars.astype(np.float64))


def mean(train: Rated, evaluated: Rated) -> np.ndarray:
    """Returns the mean of train for all, [ratings evaluated]."""
    return np.full(len(evaluated.stars), train.stars.mean())


def biases(train: Rated, evaluated: Rated) -> np.ndarray:
    """Returns the mean plus biases of user and item, 0 where there is none, [ratings evaluated].

    They are fitted in turns, as Koren does in "Factor in the neighbors" (TKDD 2010) and Surprise in
    BaselineOnly.
    """
    users, user_rows = np.unique(train.users, return_inverse=True)
    items, item_rows = np.unique(train.items, return_inverse=True)
    centred = train.stars - train.stars.mean()
    of_users, of_items = np.zeros(len(users)), np.zeros(len(items))
    for _ in range(_ROUNDS):
        of_items = _damped(centred - of_users[user_rows], item_rows, _ITEM_DAMPING)
        of_users = _damped(centred - of_items[item_rows], user_rows, _USER_DAMPING)
    told = train.stars.mean()
    for values, known, ids in (
        (of_users, users, evaluated.users),
        (of_items, items, evaluated.items),
    ):
        rows, found = find_rows(ids, known)
        told = told + np.where(found, values[rows], 0)
    return told


def _damped(values: np.ndarray, rows: np.ndarray, damping: float) -> np.ndarray:
    return np.bincount(rows, values) / (damping + np.bincount(rows))


MODELS: dict[str, Callable[[Rated, Rated], np.ndarray]] = {"mean": mean, "biases": biases}
