"""Integers in the place of string ids, so that all that lies between has integers alone."""

from collections.abc import Callable, Iterable

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["CodeIds", "NameIds", "Names", "distinct_names"]

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


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class CodeIds(beam.PTransform):
    """Replaces string ids by int64 codes, their positions among the sorted distinct ones.

    So an order by code is one by id, and codes depend on the data alone.

    Args:
        names: What `distinct_names` returned.
    """

    def __init__(self, names: Names):
        super().__init__()
        self._names = names

    def expand(self, ratings: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[pa.RecordBatch]:
        """Returns batches that are otherwise the same."""
        return ratings | _convert_ids(_codes, self._names)


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class NameIds(beam.PTransform):
    """Replaces lists of codes by lists of the ids, as binary.

    Args:
        names: Those that `CodeIds` was given.
    """

    def __init__(self, names: Names):
        super().__init__()
        self._names = names

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[pa.RecordBatch]:
        """Returns batches that are otherwise the same."""
        return batches | _convert_ids(_named, self._names)


def _convert_ids(
    convert: Callable[[pa.Array, pa.Array], pa.Array], names: Names
) -> beam.PTransform:
    def convert_columns(batch: pa.RecordBatch, **ids: pa.Array) -> pa.RecordBatch:
        columns = [
            convert(column, ids[name]) if name in ids else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, batch.schema.names)

    singletons = {name: beam.pvalue.AsSingleton(ids) for name, ids in names.items()}
    return beam.Map(convert_columns, **singletons).with_output_types(pa.RecordBatch)


def _codes(ids: pa.DictionaryArray, known: pa.Array) -> pa.Array:
    position = pc.index_in(ids.dictionary.cast(pa.binary()), value_set=known)
    return position.take(ids.indices).cast(pa.int64())


def _named(codes: pa.ListArray, known: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(codes.offsets, known.take(codes.flatten()))


def _distinct(ratings: pa.RecordBatch, column: str) -> pa.Array:
    return ratings[column].dictionary.cast(pa.binary())


def _merge(arrays: Iterable[pa.Array]) -> pa.Array:
    ids = pc.unique(pa.concat_arrays([pa.array([], pa.binary()), *arrays]))
    return ids.take(pc.array_sort_indices(ids))
