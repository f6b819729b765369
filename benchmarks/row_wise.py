"""The same work as in 2018, to compare with: a row at a time, in pandas and plain Python.

A rendering of how the NCF code of TensorFlow's official models of 2018 went about it: ids through
a dict, users one by one, negatives by trial and error, a tf.Example for each (user, item) pair,
every epoch's pairs written to disk and read back. Where that code was wrong it is put right.
"""

import glob
import os
import random
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import pandas as pd
import tensorflow as tf
import tf_keras as keras

from benchmarks.timing import Timing, timed

_MIN_RATINGS = 20
_EVAL_NEGATIVES = 100
_NEGATIVES = 4
_SHUFFLED_TOGETHER = 1024
_BATCH = 256
_FACTORS = 8
_LAYERS = (64, 32, 16, 8)
_ROWS_PER_SHARD = 50_000


class Split(NamedTuple):
    """Each user's items, in order of time, with the last one apart; ids count from 0.

    Attributes:
        train: Items by user.
        held_out: The last item by user.
        num_items: How many items there are.
        raw_users: Raw user ids by id.
        raw_items: Raw item ids by id.
    """

    train: dict[int, list[int]]
    held_out: dict[int, int]
    num_items: int
    raw_users: list[int]
    raw_items: list[int]


def examples(folder: str, repeats: int) -> Timing:
    """Times raw ratings to tf.Examples of both splits: positives, and candidates to rank."""
    rows = 0

    def run() -> None:
        nonlocal rows
        with tempfile.TemporaryDirectory() as directory:
            split = split_ratings(folder)
            _write_examples(positive_pairs(split), os.path.join(directory, "train"))
            _write_examples(evaluation_pairs(split), os.path.join(directory, "eval"))
            rows = sum(map(len, split.train.values())) + len(split.held_out)

    return Timing(timed(run, repeats), rows)


def epoch(folder: str, share: float) -> Timing:
    """Times an epoch, of which the parts `negatives`, drawn and written, and `training`.

    Args:
        folder: The data set's folder.
        share: Take this part of the users; the tables keep all users and items.
    """
    split = split_ratings(folder)
    some = int(len(split.train) * share)
    few = split._replace(train={user: split.train[user] for user in range(some)})
    model = _network(len(split.held_out), split.num_items)
    with tempfile.TemporaryDirectory() as directory:
        began = time.perf_counter()
        pairs = training_pairs(few).sample(frac=1, random_state=0)
        _write_examples(pairs, directory)
        drawn = time.perf_counter()
        dataset = _read_examples(directory)
        # One step first, which traces.
        model.fit(dataset.take(1), verbose=0)
        traced = time.perf_counter()
        model.fit(dataset, verbose=0)
        trained = time.perf_counter() - traced
    parts = {"negatives": drawn - began, "training": trained}
    return Timing([sum(parts.values())], len(pairs), len(few.train) / len(split.train), parts)


def split_ratings(folder: str) -> Split:
    """Returns the users with enough ratings and their items, the last one held out."""
    (path,) = glob.glob(f"{folder}/ratings.*")
    dialect = {"sep": "::", "header": None} if path.endswith(".dat") else {"header": 0}
    ratings = pd.read_csv(
        path, engine="python", names=["user_id", "item_id", "rating", "timestamp"], **dialect
    )
    ratings = ratings.groupby("user_id").filter(lambda rows: len(rows) >= _MIN_RATINGS)
    raw_users = ratings["user_id"].unique().tolist()
    raw_items = ratings["item_id"].unique().tolist()
    users = {raw: position for position, raw in enumerate(raw_users)}
    items = {raw: position for position, raw in enumerate(raw_items)}
    ratings["user_id"] = ratings["user_id"].apply(lambda raw: users[raw])
    ratings["item_id"] = ratings["item_id"].apply(lambda raw: items[raw])
    ratings = ratings.sort_values("timestamp", kind="stable")
    train = {user: rows["item_id"].tolist() for user, rows in ratings.groupby("user_id")}
    held_out = {user: watched.pop() for user, watched in train.items()}
    return Split(train, held_out, len(items), raw_users, raw_items)


def positive_pairs(split: Split) -> pd.DataFrame:
    """Returns user_id, item_id, label: what each user has but for the held-out item."""
    rows = [(user, item, 1) for user, items in split.train.items() for item in items]
    return pd.DataFrame(rows, columns=["user_id", "item_id", "label"])


def evaluation_pairs(split: Split) -> pd.DataFrame:
    """Returns user_id, item_id, label: the held-out item and the negatives of each user."""
    rows = []
    for user, positive in split.held_out.items():
        rows.append((user, positive, 1))
        touched = {*split.train[user], positive}
        untouched = [item for item in range(split.num_items) if item not in touched]
        rows += [(user, item, 0) for item in random.sample(untouched, _EVAL_NEGATIVES)]
    return pd.DataFrame(rows, columns=["user_id", "item_id", "label"])


def training_pairs(split: Split) -> pd.DataFrame:
    """Returns user_id, item_id, label: an epoch's positives, each with its negatives."""
    rows = []
    for user, positives in split.train.items():
        touched = set(positives)
        for positive in positives:
            rows.append((user, positive, 1))
            for _ in range(_NEGATIVES):
                item = random.randrange(split.num_items)
                while item in touched:
                    item = random.randrange(split.num_items)
                rows.append((user, item, 0))
    return pd.DataFrame(rows, columns=["user_id", "item_id", "label"])


def _write_examples(pairs: pd.DataFrame, directory: str) -> None:
    """Writes a tf.Example per row, in shards, on all cores."""
    os.makedirs(directory, exist_ok=True)
    shards = [pairs.iloc[at : at + _ROWS_PER_SHARD] for at in range(0, len(pairs), _ROWS_PER_SHARD)]
    paths = [os.path.join(directory, f"{number:05d}.tfrecord") for number in range(len(shards))]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_write_shard, shards, paths))


def _write_shard(pairs: pd.DataFrame, path: str) -> None:
    with tf.io.TFRecordWriter(path) as writer:
        for row in pairs.itertuples(index=False):
            features = {
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
                for name, value in zip(row._fields, row, strict=True)
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


def _read_examples(directory: str) -> tf.data.Dataset:
    spec = {name: tf.io.FixedLenFeature([], tf.int64) for name in ("user_id", "item_id", "label")}

    def parse(record: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        features = tf.io.parse_single_example(record, spec)
        return features, features.pop("label")

    return (
        tf.data.TFRecordDataset(sorted(glob.glob(f"{directory}/*.tfrecord")))
        .map(parse, tf.data.AUTOTUNE)
        .shuffle(_SHUFFLED_TOGETHER)
        .batch(_BATCH, drop_remainder=True)
        .prefetch(1)
    )


def _network(num_users: int, num_items: int) -> keras.Model:
    """Returns the compiled model of He et al., "Neural Collaborative Filtering", WWW 2017."""
    user = keras.Input([], dtype=tf.int64, name="user_id")
    item = keras.Input([], dtype=tf.int64, name="item_id")

    def embed(rows: int, width: int) -> Callable[[tf.Tensor], tf.Tensor]:
        return keras.layers.Embedding(
            rows, width, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.01)
        )

    gmf = embed(num_users, _FACTORS)(user) * embed(num_items, _FACTORS)(item)
    half = _LAYERS[0] // 2
    hidden = tf.concat([embed(num_users, half)(user), embed(num_items, half)(item)], axis=-1)
    for width in _LAYERS[1:]:
        hidden = keras.layers.Dense(width, activation="relu")(hidden)
    both = tf.concat([gmf, hidden], axis=-1)
    score = keras.layers.Dense(1, activation="sigmoid")(both)
    model = keras.Model([user, item], score)
    model.compile(keras.optimizers.legacy.Adam(0.001), "binary_crossentropy")
    return model
