import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata.dataset_metadata import DatasetMetadata
from tensorflow_transform.tf_metadata.schema_utils import schema_from_feature_spec

from components.wide_deep_trainer.census.config import CensusTrainerConfig
from components.wide_deep_trainer.census.features import (
    AGE_BOUNDARIES,
    CATEGORICAL,
    NUMERIC,
    REPEATED,
    VOCABULARY,
    quantile,
    scaled,
    value,
)
from components.wide_deep_trainer.census.preprocessing import _boundaries

PADDED = (" {}", "{}  ", "\t{}\r\n")


@pytest.fixture(scope="module")
def served(census_transformed):
    """Returns a function that transforms raw rows by the exported graph."""
    output = tft.TFTransformOutput(str(census_transformed / "transform_output"))
    layer = output.transform_features_layer()

    def run(rows):
        def column(name, dtype):
            values = [row.get(name) for row in rows]
            present = [i for i, v in enumerate(values) if v is not None]
            return tf.SparseTensor(
                np.array([[i, 0] for i in present], np.int64).reshape(-1, 2),
                tf.constant([values[i] for i in present], dtype),
                [len(rows), 1],
            )

        raw = {name: column(name, tf.int64) for name in NUMERIC}
        raw |= {name: column(name, tf.string) for name in CATEGORICAL}
        return {name: tensor.numpy() for name, tensor in layer(raw).items()}

    return run


def test_vocabularies_hold_every_category_and_one_place_for_unseen_ones(census_rows, served):
    rows = census_rows["train"]
    transformed = served([*rows, dict.fromkeys(CATEGORICAL, "never seen")])
    for name in VOCABULARY:
        known = {row[name] for row in rows}
        ids = transformed[name]
        pairs = {(row[name], int(i)) for row, i in zip(rows, ids, strict=False)}
        assert len(pairs) == len(known)
        assert {i for _, i in pairs} == set(range(len(known)))
        assert ids[-1] == len(known)


def test_repeated_amounts_have_ids_and_rare_ones_share_the_last(census_rows, served):
    rows = census_rows["train"]
    transformed = served(rows)
    for name in REPEATED:
        counts = collections.Counter(row[name] for row in rows)
        common = {amount for amount, count in counts.items() if count >= 5}
        ids = transformed[value(name)]
        rare = [int(i) for row, i in zip(rows, ids, strict=True) if row[name] not in common]
        assert set(rare) <= {len(common)}
        pairs = {(row[name], int(i)) for row, i in zip(rows, ids, strict=True)}
        assert len({i for amount, i in pairs if amount in common}) == len(common) > 1


def test_numbers_are_scaled_by_the_training_rows(census_rows, served):
    rows = census_rows["train"]
    transformed = served(census_rows["eval"])
    for name in NUMERIC:
        train = np.array([row[name] for row in rows], float)
        raw = np.array([row[name] for row in census_rows["eval"]], float)
        expected = (raw - train.mean()) / train.std()
        np.testing.assert_allclose(transformed[scaled(name)], expected, rtol=1e-3, atol=1e-4)


def test_quantile_positions_rise_with_the_value_over_equally_filled_bins(census_rows, served):
    rows = census_rows["train"]
    bins = CensusTrainerConfig().quantile_bins
    transformed = served(rows)
    for name in NUMERIC:
        raw = np.array([row[name] for row in rows])
        position = transformed[quantile(name)]
        order = np.argsort(raw, kind="stable")
        assert (np.diff(position[order]) >= -1e-4).all()
        assert position.min() >= 0 and position.max() <= bins
        assert (position[raw == 0] == 0).all()
    ages = np.array([row["age"] for row in rows])
    share = np.histogram(transformed[quantile("age")], np.arange(bins + 1))[0] / len(ages)
    assert share.max() < 0.1


@pytest.mark.parametrize("age", [17, 18, 24, 25, 64, 65, 90])
def test_an_age_on_a_boundary_is_in_the_bucket_above(age, served):
    bucket = served([{"age": age}])["age_bucket"][0]
    assert bucket == np.searchsorted(AGE_BOUNDARIES, age, side="right")


def test_crosses_depend_on_all_their_parts_and_stay_in_their_buckets(census_rows, served):
    base = dict(census_rows["train"][0], age=40, education="Masters", occupation="Sales")
    rows = [base, {**base, "education": "HS-grad"}, {**base, "age": 50}, {**base, "race": "Other"}]
    transformed = served([*rows, *census_rows["train"]])
    pair = transformed["education_x_occupation"]
    triple = transformed["age_bucket_x_education_x_occupation"]
    assert pair[0] == pair[2] == pair[3] != pair[1]
    assert triple[0] == triple[3] and len(set(triple[:3])) == 3
    for hashed in (pair, triple, transformed["occupation"]):
        assert hashed.min() >= 0 and hashed.max() < CensusTrainerConfig().hash_buckets


def test_what_a_request_lacks_is_unknown_or_the_usual_number(census_rows, served):
    usual = {**NUMERIC, **dict.fromkeys(CATEGORICAL, "?")}
    blank = {**dict.fromkeys(NUMERIC, -1), **dict.fromkeys(CATEGORICAL, "")}
    for name, column in served([usual, blank, {}]).items():
        assert len(set(column)) == 1, name


def test_blanks_around_a_category_do_not_count(census_rows, served):
    row = census_rows["train"][0]
    padded = [{**row, **{name: form.format(row[name]) for name in CATEGORICAL}} for form in PADDED]
    unknown = [dict.fromkeys(CATEGORICAL, text) for text in ("?", " ?", "  ")]
    for rows in ([row, *padded], unknown):
        for name, column in served(rows).items():
            assert len(set(column)) == 1, name


def test_boundaries_leave_out_zeros_and_rise_even_where_nothing_is_positive(tmp_path):
    table = np.float32([[20, 0, 0], [30, 0, 9], [40, 0, 0], [30, 0, 5]])
    spec = {"table": tf.io.FixedLenFeature([3], tf.float32)}

    def boundaries(inputs):
        rows = tf.shape(inputs["table"])[0]
        return {"boundaries": tf.tile(_boundaries(inputs["table"], 4)[tf.newaxis], [rows, 1, 1])}

    with tft_beam.Context(temp_dir=str(tmp_path)):
        (rows, _), _ = (
            [{"table": row} for row in table],
            DatasetMetadata(schema_from_feature_spec(spec)),
        ) | tft_beam.AnalyzeAndTransformDataset(boundaries)
    found = rows[0]["boundaries"]
    assert (np.diff(found) >= 0).all()
    assert found[:, 0].tolist() == [0, 0, 0]
    assert set(found[0, 1:]) == {20, 30, 40}
    assert set(found[2, 1:]) == {5, 9}
    # So a first gain of any amount stands apart from none.
    assert set(found[1, 1:]) == {1}
