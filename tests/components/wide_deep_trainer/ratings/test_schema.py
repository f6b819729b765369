import numpy as np
import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import schema_pb2

from components.movielens_gen.config import RatingSplitConfig
from components.wide_deep_trainer.ratings import preprocessing as rating_preprocessing
from pipeline.pipelines.movielens import PIPELINE
from transforms.parsing.rating_scale import FEWEST_STARS, LATEST_SECOND, MOST_STARS
from transforms.vectorize_genres import GENRES

SCHEMA = rating_preprocessing.__file__.replace("preprocessing.py", "schema.pbtxt")


@pytest.fixture
def schema():
    with open(SCHEMA, encoding="utf-8") as file:
        return text_format.Parse(file.read(), schema_pb2.Schema())


def test_the_gate_lets_pass_what_the_reader_does(schema):
    features = {feature.name: feature for feature in schema.feature}
    stars, seconds = features["rating"].float_domain, features["timestamp"].int_domain
    assert (stars.min, stars.max) == (FEWEST_STARS, MOST_STARS)
    assert (seconds.min, seconds.max) == (0, LATEST_SECOND)


def statistics(one_list=True, **changes):
    """Statistics of made-up ratings with some columns changed; of lists by user, or one by one."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 61, 100)
    count = lengths.sum()
    columns = {
        "user_id": np.repeat(np.arange(len(lengths)), lengths),
        "item_id": rng.integers(0, 500, count),
        "timestamp": rng.integers(0, 10**9, count),
        "genres": (rng.random((count, len(GENRES))) < 0.15).astype(np.int64),
        "rating": rng.integers(1, 11, count).astype(np.float32) / 2,
    }
    columns |= {name: change(columns[name]) for name, change in changes.items()}
    ends = np.append(0, np.cumsum(lengths)) if one_list else np.arange(count + 1)
    lists = {
        name: pa.ListArray.from_arrays((ends * (x.size // count)).astype(np.int32), x.ravel())
        for name, x in columns.items()
        if x is not None
    }
    options = tfdv.StatsOptions()
    return stats_impl.generate_statistics_in_memory(pa.RecordBatch.from_pydict(lists), options)


def found(anomalies):
    return set(anomalies.anomaly_info)


def first(value):
    def change(column):
        changed = column.copy()
        changed.flat[0] = value
        return changed

    return change


@pytest.mark.parametrize(
    ("feature", "change"),
    [
        ("user_id", lambda column: None),
        ("item_id", lambda column: column.astype(np.float32)),
        ("timestamp", first(-1)),
        ("timestamp", first(LATEST_SECOND + 1)),
        ("genres", first(2)),
        ("genres", lambda column: None),
        ("rating", first(0)),
        ("rating", first(5.5)),
        ("rating", first(np.nan)),
        ("rating", first(np.inf)),
    ],
)
def test_one_value_that_does_not_fit_is_found_in_a_list(feature, change, schema):
    assert found(tfdv.validate_statistics(statistics(), schema)) == set()
    anomalies = tfdv.validate_statistics(statistics(**{feature: change}), schema)
    assert found(anomalies) == {feature}


@pytest.mark.parametrize(
    ("feature", "change", "skewed"),
    [
        # One user has made most of the ratings.
        ("user_id", lambda column: np.where(np.arange(len(column)) % 3, 7, column), False),
        ("item_id", lambda column: column // 10, False),
        ("genres", lambda column: column | (np.arange(len(GENRES)) == 3), True),
        ("rating", lambda column: np.maximum(column - 1, 0.5), True),
    ],
)
def test_drift_and_skew_are_as_far_in_lists_as_in_ratings(feature, change, skewed, schema):
    for role, names in (("previous", {feature}), ("serving", {feature} if skewed else set())):
        distances = []
        for one_list in (True, False):
            anomalies = tfdv.validate_statistics(
                statistics(one_list),
                schema,
                **{f"{role}_statistics": statistics(one_list, **{feature: change})},
            )
            assert found(anomalies) == names
            distances += [
                measured.value
                for info in anomalies.drift_skew_info
                for measured in (*info.drift_measurements, *info.skew_measurements)
            ]
        assert distances[: len(distances) // 2] == distances[len(distances) // 2 :] != []


def test_a_split_by_time_may_be_skewed_and_is_else_held_to_the_same(schema):
    with open(SCHEMA.replace("schema.pbtxt", "by_time_schema.pbtxt"), encoding="utf-8") as file:
        by_time = text_format.Parse(file.read(), schema_pb2.Schema())
    for feature in schema.feature:
        feature.ClearField("skew_comparator")
    assert by_time == schema
    assert PIPELINE.schema(RatingSplitConfig(split="global_time", split_time=1)).startswith("by_")
    assert PIPELINE.schema(RatingSplitConfig()) == "schema.pbtxt"
