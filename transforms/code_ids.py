"""Integers in the place of string ids, so that all that lies between has integers alone."""

from collections.abc import Callable, Iterable

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

_NAMED_LIKE = {"history": "item_id"}

Names = dict[str, beam.PCollection[pa.Array]]
"""By "user_id" and "item_id": a singleton, the distinct ids as binary, ascending by their bytes."""


def distinct_names(ratings: beam.PCollection[pa.RecordBatch]) -> Names:
    """Returns the ids of users and items.

    Args:
        ratings: Batches of `STRING_ID_COLUMNS`.
    """
    return {
        column: ratings
        | f"Distinct[{column}]" >> beam.Map(_distinct, column).with_output_types(pa.Array)
        | f"Merge[{column}]" >> beam.CombineGlobally(_merge).with_output_types(pa.Array)
        for column in ("user_id", "item_id")
    }


def _codes(ids: pa.DictionaryArray, known: pa.Array) -> pa.Array:
    position = pc.index_in(ids.dictionary.cast(pa.binary()), value_set=known)
    return position.take(ids.indices).cast(pa.int64())


def _named(codes: pa.ListArray, known: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(codes.offsets, known.take(codes.flatten()))


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class _ConvertIds(beam.PTransform):
    """Replaces the columns with ids by what `convert` makes of them.

    Args:
        names: What `distinct_names` returned.
    """

    convert: Callable[[pa.Array, pa.Array], pa.Array]

    def __init__(self, names: Names):
        super().__init__()
        self._ids = {name: beam.pvalue.AsSingleton(ids) for name, ids in names.items()}

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[pa.RecordBatch]:
        """Returns batches that are otherwise the same."""
        return batches | beam.Map(_convert_columns, self.convert, **self._ids).with_output_types(
            pa.RecordBatch
        )


class CodeIds(_ConvertIds):
    """Replaces string ids by int64 codes, their positions among the sorted distinct ones.

    So an order by code is one by id, and codes depend on the data alone.
    """

    convert = staticmethod(_codes)


class NameIds(_ConvertIds):
    """Replaces lists of codes by lists of the ids, as binary."""

    convert = staticmethod(_named)


def _convert_columns(
    batch: pa.RecordBatch, convert: Callable[[pa.Array, pa.Array], pa.Array], **ids: pa.Array
) -> pa.RecordBatch:
    kinds = [_NAMED_LIKE.get(name, name) for name in batch.schema.names]
    columns = [
        convert(column, ids[kind]) if kind in ids else column
        for kind, column in zip(kinds, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _distinct(ratings: pa.RecordBatch, column: str) -> pa.Array:
    return ratings[column].dictionary.cast(pa.binary())


def _merge(arrays: Iterable[pa.Array]) -> pa.Array:
    ids = pc.unique(pa.concat_arrays([pa.array([], pa.binary()), *arrays]))
    return ids.take(pc.array_sort_indices(ids))
