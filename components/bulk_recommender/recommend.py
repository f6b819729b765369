"""From Examples of users to their best items, a block of users at a time."""

from collections.abc import Iterator
from importlib import import_module

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.utils.shared import Shared

from transforms.base.hashing import hash_texts

# Bounds the memory for scores of all items.
_ASKED_TOGETHER = 64


def recommended(ids: pa.DataType) -> pa.Schema:
    """Returns the columns of recommendations: best first within a user, `rank` from 1.

    Args:
        ids: The type of users' and items' ids.
    """
    return pa.schema(
        [("user_id", ids), ("rank", pa.int32()), ("item_id", ids), ("score", pa.float32())]
    )


@beam.typehints.with_input_types(str)
@beam.typehints.with_output_types(pa.RecordBatch)
class ReadTouched(beam.DoFn):
    """Reads files of Examples as rows of `user` and `item`, raw ids, and a number for the user.

    Args:
        interactions: Dotted name of the module that reads them.
    """

    def __init__(self, interactions: str):
        self._interactions = interactions

    def process(self, file: str) -> Iterator[pa.RecordBatch]:
        """Yields a batch for each block of a file's Examples."""
        reader = import_module(self._interactions)
        for block in reader.read_blocks([file]):
            touched = reader.parse_touched(block)
            user = np.repeat(touched.users, touched.counts)
            # GroupByUser takes numbers.
            number = touched.users
            if number.dtype == object:
                number = hash_texts(text.decode() for text in number).view(np.int64)
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array(np.repeat(number, touched.counts)),
                    pa.array(user),
                    pa.array(touched.items),
                ],
                ["user_id", "user", "item"],
            )


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.Table)
class Recommend(beam.DoFn):
    """Asks a model for the best items that users have not had, in batches of whole users.

    Args:
        model: The SavedModel's folder.
        top: How many items a user gets, or fewer where no more are left.
    """

    def __init__(self, model: str, top: int):
        self._model = model
        self._top = top
        self._shared = Shared()

    def setup(self) -> None:
        """Loads the model, once for all threads of a process."""
        self._loaded = self._shared.acquire(lambda: tf.saved_model.load(self._model), self._model)
        self._ask = self._loaded.signatures["recommend"]

    def process(self, touched: pa.RecordBatch) -> Iterator[pa.Table]:
        """Yields the recommendations to a batch's users, `recommended`."""
        user, item = (touched[name].to_numpy(zero_copy_only=False) for name in ("user", "item"))
        users, owner = np.unique(user, return_inverse=True)
        order = np.argsort(owner, kind="stable")
        histories = np.split(item[order], np.cumsum(np.bincount(owner))[:-1])
        for start in range(0, len(users), _ASKED_TOGETHER):
            some = slice(start, start + _ASKED_TOGETHER)
            yield self._best(users[some], histories[some])

    def _best(self, users: np.ndarray, histories: list[np.ndarray]) -> pa.Table:
        longest = max(map(len, histories))
        # Shorter lists are filled with what is in them already.
        exclude = np.stack([np.resize(history, longest) for history in histories])
        ids = tf.string if users.dtype == object else tf.int64
        answer = self._ask(
            user_id=tf.constant(users, ids),
            k=tf.constant(self._top, tf.int32),
            exclude=tf.constant(exclude, ids),
            include=tf.zeros([len(users), 0], ids),
        )
        item_id, scores = answer["item_id"].numpy(), answer["scores"].numpy()
        # No item has the score that fills up an answer.
        row, column = np.nonzero(scores > np.finfo(scores.dtype).min)
        columns = (
            users[row],
            (column + 1).astype(np.int32),
            item_id[row, column],
            scores[row, column],
        )
        schema = recommended(pa.string() if ids == tf.string else pa.int64())
        return pa.table([pa.array(values) for values in columns], schema.names).cast(schema)
