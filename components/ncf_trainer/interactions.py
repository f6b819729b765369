"""Raw Examples of ncf, read back as who interacted with what."""

import itertools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.ncf_trainer import features

_PARSED_TOGETHER = 4096
_SPLITS = ("train", "eval")


class Interactions(NamedTuple):
    """The items of each user. Raw ids are int64, or str in arrays of objects.

    Attributes:
        users: Raw user ids, ascending, [users].
        starts: Where each user's items begin in `items`, and where the last one's end, int64
            [users + 1].
        items: Raw item ids, [interactions].
    """

    users: np.ndarray
    starts: np.ndarray
    items: np.ndarray

    def of(self, user: int | str) -> np.ndarray:
        """Returns the items of a user, none for one who is not there."""
        at = int(np.searchsorted(self.users, user))
        if at == len(self.users) or self.users[at] != user:
            return self.items[:0]
        return self.items[self.starts[at] : self.starts[at + 1]]


def read_interactions(uri: str) -> Interactions:
    """Returns the users' histories together with the items that were held out to evaluate on.

    Args:
        uri: An Examples artifact of LeaveOneOut: splits train and eval, raw ids.
    """
    files = [
        file for split in _SPLITS for file in sorted(tf.io.gfile.glob(f"{uri}/Split-{split}/*"))
    ]
    # tf.data takes longer to build a dataset than these files take to read.
    options = tf.io.TFRecordOptions("GZIP")
    records = itertools.chain.from_iterable(
        tf.compat.v1.io.tf_record_iterator(file, options) for file in files
    )
    blocks = iter(lambda: list(itertools.islice(records, _PARSED_TOGETHER)), [])
    first = next(blocks)
    id_type = _id_type(first[0])
    spec = {
        features.USER_ID: tf.io.FixedLenFeature([1], id_type),
        features.ITEM_ID: tf.io.RaggedFeature(id_type),
        features.LABEL: tf.io.RaggedFeature(tf.float32),
    }
    owners, counts, items = [], [], []
    for block in itertools.chain([first], blocks):
        # Numpy from here on: the first call of each eager operation takes tens of milliseconds.
        batch = tf.io.parse_example(block, spec)
        splits = batch[features.ITEM_ID].row_splits.numpy()
        touched = batch[features.LABEL].flat_values.numpy() > 0
        owners.append(batch[features.USER_ID].numpy()[:, 0])
        counts.append(np.diff(np.append(0, np.cumsum(touched))[splits]))
        items.append(batch[features.ITEM_ID].flat_values.numpy()[touched])
    users, owner = np.unique(decode_ids(np.concatenate(owners)), return_inverse=True)
    owner = np.repeat(owner, np.concatenate(counts))
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(users)))])
    item = decode_ids(np.concatenate(items))
    return Interactions(users, starts, item[np.argsort(owner, kind="stable")])


def _id_type(record: bytes) -> tf.DType:
    feature = tf.train.Example.FromString(record).features.feature[features.USER_ID]
    return tf.string if feature.WhichOneof("kind") == "bytes_list" else tf.int64


def decode_ids(ids: np.ndarray) -> np.ndarray:
    """Returns an array of bytes as one of str, and one of integers as it is."""
    return np.vectorize(bytes.decode, otypes=[object])(ids) if ids.dtype == object else ids
