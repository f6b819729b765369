"""Raw Examples of ncf, read back as who interacted with what."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
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
    blocks = read_blocks(files_of(uri))
    owners, counts, items = (
        np.concatenate(column) for column in zip(*map(parse_touched, blocks), strict=True)
    )
    users, owner = np.unique(decode_ids(owners), return_inverse=True)
    owner = np.repeat(owner, counts)
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(users)))])
    return Interactions(users, starts, decode_ids(items)[np.argsort(owner, kind="stable")])


class Touched(NamedTuple):
    """What users have touched. Raw ids are int64, or bytes in arrays of objects.

    Attributes:
        users: Raw ids, [users].
        counts: How many items each has touched, int64 [users].
        items: Theirs one after the other, [items].
    """

    users: np.ndarray
    counts: np.ndarray
    items: np.ndarray


def parse_touched(block: Sequence[bytes]) -> Touched:
    """Returns the items of serialised Examples, at least one, that are labelled above 0."""
    ids = _id_type(block[0])
    spec = {
        features.USER_ID: tf.io.FixedLenFeature([1], ids),
        features.ITEM_ID: tf.io.RaggedFeature(ids),
        features.LABEL: tf.io.RaggedFeature(tf.float32),
    }
    batch = tf.io.parse_example(block, spec)
    # Numpy from here on: the first call of each eager operation takes tens of milliseconds.
    splits = batch[features.ITEM_ID].row_splits.numpy()
    touched = batch[features.LABEL].flat_values.numpy() > 0
    return Touched(
        batch[features.USER_ID].numpy()[:, 0],
        np.diff(np.append(0, np.cumsum(touched))[splits]),
        batch[features.ITEM_ID].flat_values.numpy()[touched],
    )


def read_blocks(files: Iterable[str]) -> Iterator[list[bytes]]:
    """Yields the serialised Examples of gzipped TFRecord files, thousands at a time."""
    # tf.data takes longer to build a dataset than these files take to read.
    options = tf.io.TFRecordOptions("GZIP")
    records = itertools.chain.from_iterable(
        tf.compat.v1.io.tf_record_iterator(file, options) for file in files
    )
    return iter(lambda: list(itertools.islice(records, _PARSED_TOGETHER)), [])


def files_of(uri: str) -> list[str]:
    """Returns the files of an Examples artifact of LeaveOneOut, of both splits."""
    return [
        file for split in _SPLITS for file in sorted(tf.io.gfile.glob(f"{uri}/Split-{split}/*"))
    ]


def id_type(files: Iterable[str]) -> pa.DataType:
    """Returns the type of raw ids in files as `files_of` lists them."""
    first = next(read_blocks(files))[0]
    return pa.string() if _id_type(first) == tf.string else pa.int64()


def _id_type(record: bytes) -> tf.DType:
    feature = tf.train.Example.FromString(record).features.feature[features.USER_ID]
    return tf.string if feature.WhichOneof("kind") == "bytes_list" else tf.int64


def decode_ids(ids: np.ndarray) -> np.ndarray:
    """Returns an array of bytes as one of str, and one of integers as it is."""
    return np.vectorize(bytes.decode, otypes=[object])(ids) if ids.dtype == object else ids
