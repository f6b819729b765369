"""Raw Examples of ncf, read back as who interacted with what."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.ncf_trainer import features

__all__ = ["Interactions", "read_interactions"]

_PARSED_TOGETHER = 4096
_SPLITS = ("train", "eval")


class Interactions(NamedTuple):
    """The items of each user.

    Attributes:
        users: Raw user ids, ascending, int64 [users].
        starts: Where each user's items begin in `items`, and where the last one's end, int64
            [users + 1].
        items: Raw item ids, int64 [interactions].
    """

    users: np.ndarray
    starts: np.ndarray
    items: np.ndarray

    def of(self, user: int) -> np.ndarray:
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
    spec = {
        features.USER_ID: tf.io.FixedLenFeature([1], tf.int64),
        features.ITEM_ID: tf.io.RaggedFeature(tf.int64),
        features.LABEL: tf.io.RaggedFeature(tf.float32),
    }
    owners, items = [], []
    for batch in (
        tf.data.TFRecordDataset(files, "GZIP")
        .batch(_PARSED_TOGETHER)
        .map(lambda examples: tf.io.parse_example(examples, spec), tf.data.AUTOTUNE)
    ):
        touched = batch[features.LABEL].flat_values.numpy() > 0
        lengths = batch[features.ITEM_ID].row_lengths().numpy()
        owners.append(np.repeat(batch[features.USER_ID][:, 0].numpy(), lengths)[touched])
        items.append(batch[features.ITEM_ID].flat_values.numpy()[touched])
    owner, item = np.concatenate(owners), np.concatenate(items)
    order = np.argsort(owner, kind="stable")
    users, starts = np.unique(owner[order], return_index=True)
    return Interactions(users, np.append(starts, len(owner)), item[order])
