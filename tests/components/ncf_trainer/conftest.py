import numpy as np
import pytest
import tensorflow as tf

from components.ncf_trainer import preprocessing
from components.ncf_trainer.config import NcfTrainerConfig

SCHEMA = preprocessing.__file__.replace("preprocessing.py", "schema.pbtxt")
USERS, ITEMS, GROUPS = 120, 60, 3
HISTORY, NEGATIVES = 12, 20


def interactions():
    """Users of three groups, each of which likes a third of the items.

    Raw ids are not dense, and -1 is an item's like any other.
    """
    rng = np.random.default_rng(0)
    item_ids = np.sort(rng.choice(1000, ITEMS, replace=False)) * 7
    item_ids[0] = -1
    for user in range(USERS):
        liked = rng.permutation(np.arange(ITEMS)[np.arange(ITEMS) % GROUPS == user % GROUPS])
        others = np.setdiff1d(np.arange(ITEMS), liked[: HISTORY + 1])
        candidates = [liked[HISTORY], *rng.choice(others, NEGATIVES, replace=False)]
        yield user * 10 + 3, item_ids[liked[:HISTORY]], item_ids[candidates]


def example(user, items, labels, history=()):
    ints, floats = tf.train.Int64List, tf.train.FloatList
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                "user_id": tf.train.Feature(int64_list=ints(value=[user])),
                "item_id": tf.train.Feature(int64_list=ints(value=items)),
                "label": tf.train.Feature(float_list=floats(value=labels)),
                "history": tf.train.Feature(int64_list=ints(value=history)),
            }
        )
    ).SerializeToString()


@pytest.fixture(scope="session")
def raw_examples():
    """Serialised Examples of the splits."""
    users = list(interactions())
    return {
        "train": [example(u, history, np.ones(HISTORY)) for u, history, _ in users],
        "eval": [example(u, c, np.eye(1, NEGATIVES + 1)[0], h) for u, h, c in users],
    }


@pytest.fixture(scope="session")
def transformed(raw_examples, transform, tmp_path_factory):
    """A folder with what TFX's Transform writes: transform_output, train and eval files."""
    root = tmp_path_factory.mktemp("transformed")
    return transform(preprocessing.preprocessing_fn, SCHEMA, raw_examples, root)


@pytest.fixture
def fn_args(fn_args, transformed):
    """Returns a function from settings to FnArgs as TFX would pass them."""
    return lambda **settings: fn_args(NcfTrainerConfig(**settings), transformed)
