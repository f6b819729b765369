"""Makes of ratings a row per user."""

import apache_beam as beam
import numpy as np
import pyarrow as pa


def list_by_user(ratings: pa.RecordBatch) -> pa.RecordBatch:
    """Returns a row for each user, whose columns are lists over the user's ratings.

    They are in the order of time, then of item and of rating, whatever the order they came in. A
    column that has lists itself has them end to end.

    Args:
        ratings: The columns `user_id`, `item_id`, `timestamp` and `rating`, and any others; all
            rows of a user that appears have to be there.
    """
    keys = ("rating", "item_id", "timestamp", "user_id")
    order = np.lexsort([ratings[key].to_numpy() for key in keys])
    user_id = ratings["user_id"].to_numpy()[order]
    starts = 1 + np.flatnonzero(user_id[1:] != user_id[:-1])
    edges = np.concatenate([[0], starts, [len(user_id)]])
    lists = [_lists(column.take(pa.array(order)), edges) for column in ratings.columns]
    return pa.RecordBatch.from_arrays(lists, ratings.schema.names)


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class ListByUser(beam.PTransform):
    """Turns ratings, in batches of whole users, into one row per user, as `list_by_user` does."""

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[pa.RecordBatch]:
        """Returns a batch for each."""
        return batches | beam.Map(list_by_user).with_output_types(pa.RecordBatch)


def _lists(column: pa.Array, edges: np.ndarray) -> pa.ListArray:
    """Returns lists of the values between edges, int64 [users + 1]."""
    if pa.types.is_list(column.type):
        edges = column.offsets.to_numpy()[edges]
        column = column.flatten()
    return pa.ListArray.from_arrays(edges.astype(np.int32), column)
