import apache_beam as beam
import pyarrow as pa
from apache_beam.testing.util import assert_that

from transforms.base.in_process_beam import LOCAL_RUNNER
from transforms.code_ids import CodeIds, NameIds, distinct_names
from transforms.parsing.string_ids import STRING_ID

USERS = ["bob", "zoë", "bob", "Ana", "1", "01"]
ITEMS = ["a", "é", "z", "a", "😀", "\uffee"]


def batch(rows):
    ids = {"user_id": [USERS[at] for at in rows], "item_id": [ITEMS[at] for at in rows]}
    columns = {name: pa.array(of).dictionary_encode() for name, of in ids.items()}
    assert columns["user_id"].type == STRING_ID
    return pa.RecordBatch.from_pydict({**columns, "timestamp": rows})


def lists(coded):
    """Ids in lists of one, as Examples have them."""
    columns = [pa.array([[i] for i in coded[name].to_pylist()]) for name in ("user_id", "item_id")]
    names = [*coded.schema.names, "history"]
    return pa.RecordBatch.from_arrays([*columns, coded["timestamp"], columns[1]], names)


def test_codes_are_places_in_order_of_bytes_and_names_come_back():
    # By UTF-8, not by UTF-16: the last item comes before the one in front of it.
    codes = {
        at: (sorted(set(USERS)).index(USERS[at]), sorted(set(ITEMS)).index(ITEMS[at]))
        for at in range(6)
    }

    def compare_codes(batches: list[pa.RecordBatch]) -> None:
        found = {row["timestamp"]: row for b in batches for row in b.to_pylist()}
        assert {at: (row["user_id"], row["item_id"]) for at, row in found.items()} == codes

    def compare_names(batches: list[pa.RecordBatch]) -> None:
        found = {row["timestamp"]: row for b in batches for row in b.to_pylist()}
        for at in range(6):
            assert found[at]["user_id"] == [USERS[at].encode()]
            assert found[at]["item_id"] == found[at]["history"] == [ITEMS[at].encode()]

    with beam.Pipeline(LOCAL_RUNNER) as pipeline:
        ratings = pipeline | beam.Create([batch([0, 1, 2]), batch([3]), batch([4, 5])])
        names = distinct_names(ratings)
        coded = ratings | CodeIds(names)
        assert_that(coded, compare_codes, "codes")
        named = coded | beam.Map(lists).with_output_types(pa.RecordBatch) | NameIds(names)
        assert_that(named, compare_names, "names")
