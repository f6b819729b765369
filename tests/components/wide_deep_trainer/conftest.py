import os

import pytest
import tensorflow as tf

from components.wide_deep_trainer.census import preprocessing as census_preprocessing
from components.wide_deep_trainer.census.config import CensusTrainerConfig
from pipeline.datasets.census_sample import write_sample
from transforms.base.settings import to_json
from transforms.parsing.read_census import read_census

ROWS = 1200


def example(row):
    """A serialised Example of a raw row; keys without a value are left out."""
    feature = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        if isinstance(value, int)
        else tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        for name, value in row.items()
        if value is not None
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture(scope="session")
def census_rows(tmp_path_factory):
    """Rows of the made-up data set by split, as dicts."""
    folder = tmp_path_factory.mktemp("census_rows")
    write_sample(str(folder))
    files = {"train": "adult.data", "eval": "adult.test"}
    return {
        split: read_census(os.path.join(folder, name))[0].slice(0, ROWS).to_pylist()
        for split, name in files.items()
    }


@pytest.fixture(scope="session")
def census_transformed(census_rows, transform, tmp_path_factory):
    """A folder with what Transform makes of `census_rows`."""
    schema = census_preprocessing.__file__.replace("preprocessing.py", "schema.pbtxt")
    config = {"config": to_json(CensusTrainerConfig())}
    return transform(
        lambda inputs: census_preprocessing.preprocessing_fn(inputs, config),
        schema,
        {split: [example(row) for row in rows] for split, rows in census_rows.items()},
        tmp_path_factory.mktemp("census"),
    )
