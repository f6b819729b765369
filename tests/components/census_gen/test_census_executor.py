import glob
import json
import os

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs

from components.census_gen.component import CensusExampleGen
from components.census_gen.config import CensusConfig
from components.census_gen.executor import Executor, validation_rows
from components.example_gen.executor import quarantine_file
from components.model_records.record import SPLIT
from transforms.base.errors import UserError, find_user_error
from transforms.base.in_process_beam import LOCAL_ARGS
from transforms.parsing.read_census import read_census

ROW = (
    "{age}, State-gov, 77516, Bachelors, 13, Never-married, ?, Not-in-family, White, "
    "Male, 2174, 0, 40, United-States, {bracket}"
)
REAL = os.path.join("..", "shared", "data", "census")


def write_rows(folder, train: int = 20, test: int = 10) -> str:
    rows = [ROW.format(age=20 + i, bracket=">50K" if i % 4 == 0 else "<=50K") for i in range(train)]
    (folder / "adult.data").write_text("\n".join(rows) + "\n\n")
    rows = [ROW.format(age=60 + i, bracket="<=50K.") for i in range(test)]
    (folder / "adult.test").write_text("|1x3 Cross validator\n" + "\n".join(rows) + "\n\n")
    (folder / "adult.names").write_text("not rows\n")
    return str(folder)


def generate(input_base: str, uri: str, config: CensusConfig) -> standard_artifacts.Examples:
    component = CensusExampleGen(input_base, config, code="abc")
    examples = standard_artifacts.Examples()
    examples.uri = uri
    Executor(Executor.Context(beam_pipeline_args=list(LOCAL_ARGS))).Do(
        {}, {standard_component_specs.EXAMPLES_KEY: [examples]}, component.exec_properties
    )
    return examples


def read(examples: standard_artifacts.Examples, split: str) -> list[tf.train.Example]:
    files = glob.glob(f"{artifact_utils.get_split_uri([examples], split)}/*.gz")
    return [
        tf.train.Example.FromString(record)
        for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    ]


def ages(examples: standard_artifacts.Examples, split: str) -> list[int]:
    records = read(examples, split)
    return sorted(record.features.feature["age"].int64_list.value[0] for record in records)


def test_each_row_becomes_an_example_of_its_files_split(tmp_path):
    examples = generate(write_rows(tmp_path), str(tmp_path / "out"), CensusConfig())
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "eval"]
    assert ages(examples, "train") == list(range(20, 40))
    assert ages(examples, "eval") == list(range(60, 70))
    assert examples.get_int_custom_property("rows_train") == 20
    assert examples.get_int_custom_property("rows_eval") == 10
    feature = read(examples, "train")[0].features.feature
    assert len(feature) == 15
    assert feature["occupation"].bytes_list.value == [b"?"]
    assert feature["capital_loss"].int64_list.value == [0]
    labels = [r.features.feature["label"].int64_list.value[0] for r in read(examples, "train")]
    assert sum(labels) == 5


def test_validation_divides_adult_data_and_leaves_adult_test_alone(tmp_path):
    base = write_rows(tmp_path, train=300)
    (tmp_path / "adult.test").write_text("malformed\n")
    config = CensusConfig(holdout="validation")
    examples = generate(base, str(tmp_path / "out"), config)
    train, held_out = ages(examples, "train"), ages(examples, "eval")
    assert sorted(train + held_out) == list(range(20, 320))
    rows, _ = read_census(os.path.join(base, "adult.data"))
    expected = validation_rows(rows, config)
    np.testing.assert_array_equal(held_out, 20 + np.flatnonzero(expected))
    assert 0.1 < expected.mean() < 0.3
    other = validation_rows(rows, CensusConfig(holdout="validation", seed=1))
    assert (expected != other).any()


def test_what_a_row_is_and_not_its_place_tells_whether_it_is_held_out(tmp_path):
    rows, _ = read_census(os.path.join(write_rows(tmp_path, train=300), "adult.data"))
    config = CensusConfig(holdout="validation")
    expected = validation_rows(rows, config)
    order = np.random.default_rng(0).permutation(np.r_[0:300, 0:50])
    np.testing.assert_array_equal(validation_rows(rows.take(order), config), expected[order])
    for column in ("occupation", "label"):
        place = rows.schema.names.index(column)
        value = pa.array(["Sales" if column == "occupation" else 1] * 300)
        changed = rows.set_column(place, column, value)
        assert (validation_rows(changed, config) != expected).any()


HEADER = (
    "age,workclass,fnlwgt,education,education.num,marital.status,occupation,relationship,race,sex,"
    "capital.gain,capital.loss,hours.per.week,native.country,income\n"
)


def write_one_file(folder, ages_of_rows) -> str:
    folder.mkdir(exist_ok=True)
    rows = [ROW.format(age=age, bracket=(">50K", "<=50K")[age % 2]) for age in ages_of_rows]
    (folder / "adult.csv").write_text(HEADER + "\n".join(rows) + "\n")
    return str(folder)


def split_of(examples) -> dict:
    return json.loads(examples.get_string_custom_property(SPLIT))


def test_one_file_is_divided_by_what_its_rows_are(tmp_path):
    everybody = list(range(20, 620))
    base = write_one_file(tmp_path / "a", everybody)
    examples = generate(base, str(tmp_path / "out"), CensusConfig())
    train, held_out = ages(examples, "train"), ages(examples, "eval")
    assert sorted(train + held_out) == everybody
    assert 0.27 < len(held_out) / 600 < 0.39
    assert split_of(examples) == {"holdout": "test", "eval_percent": 33, "seed": 0}

    # In another order, some of them twice.
    shuffled = [*np.random.default_rng(0).permutation(everybody), *everybody[:50]]
    base = write_one_file(tmp_path / "b", shuffled)
    again = generate(base, str(tmp_path / "out_again"), CensusConfig())
    assert set(ages(again, "eval")) == set(held_out) and set(ages(again, "train")) == set(train)
    for folder, change in {"c": {"seed": 1}, "d": {"eval_percent": 10}}.items():
        other = generate(base, str(tmp_path / folder / "out"), CensusConfig(**change))
        assert set(ages(other, "eval")) != set(held_out)
        assert split_of(other) == {**split_of(examples), **change}
    assert len(ages(other, "eval")) < 0.15 * 650


def test_an_example_of_one_file_is_that_of_two(tmp_path):
    two = generate(write_rows(tmp_path), str(tmp_path / "two"), CensusConfig())
    base = write_one_file(tmp_path / "one", [])
    lines = [*(tmp_path / "adult.data").open(), *list((tmp_path / "adult.test").open())[1:]]
    with open(os.path.join(base, "adult.csv"), "a") as file:
        file.writelines(lines)
    one = generate(base, str(tmp_path / "out"), CensusConfig())

    def records(examples):
        found = [*read(examples, "train"), *read(examples, "eval")]
        return sorted(record.SerializeToString(deterministic=True) for record in found)

    assert records(one) == records(two) and split_of(two) == {"holdout": "test"}


def test_validation_leaves_out_what_is_evaluated_on_of_one_file(tmp_path):
    base = write_one_file(tmp_path / "a", range(20, 620))
    whole = generate(base, str(tmp_path / "out"), CensusConfig())
    examples = generate(base, str(tmp_path / "chosen"), CensusConfig(holdout="validation"))
    train, held_out = ages(examples, "train"), ages(examples, "eval")
    assert sorted(train + held_out) == ages(whole, "train")
    assert 0.13 < len(held_out) / len(train + held_out) < 0.27
    counters = {name: examples.get_int_custom_property(name) for name in Executor.COUNTERS}
    assert counters == {
        "rows": 600,
        "rows_train": len(train),
        "rows_eval": len(held_out),
        "rows_left_out": len(ages(whole, "eval")),
        "quarantined": 0,
    }
    assert split_of(examples) == {
        "holdout": "validation",
        "eval_percent": 33,
        "validation_fraction": 0.2,
        "seed": 0,
    }


def test_a_malformed_row_is_a_one_line_error(tmp_path):
    base = write_rows(tmp_path)
    with open(tmp_path / "adult.test", "a") as file:
        file.write(ROW.format(age="x9", bracket="<=50K.") + "\n")
    with pytest.raises(Exception) as error:
        generate(base, str(tmp_path / "out"), CensusConfig())
    user_error = find_user_error(error.value)
    assert str(user_error) == (
        f"{tmp_path}/adult.test:13: age 'x9' is not an integer; mend the row or remove it"
    )


@pytest.mark.parametrize("holdout", ["test", "validation"])
def test_bad_rows_are_set_aside_and_every_row_is_accounted_for(tmp_path, holdout):
    base = write_rows(tmp_path)
    content = (tmp_path / "adult.data").read_bytes().rstrip()
    bad = [b"39, Stat\xe9-gov", b"x, " + content.splitlines()[0].partition(b", ")[2]]
    (tmp_path / "adult.data").write_bytes(b"\n".join([bad[0], content, bad[1], b""]))
    with open(tmp_path / "adult.test", "a") as file:
        file.write("1\n")
    config = CensusConfig(holdout=holdout, max_bad_rows=3)
    examples = generate(base, str(tmp_path / "out"), config)
    counters = {name: examples.get_int_custom_property(name) for name in Executor.COUNTERS}
    quarantined, rows = (2, 22) if holdout == "validation" else (3, 33)
    assert counters["quarantined"] == quarantined and counters["rows"] == rows
    assert rows == counters["rows_train"] + counters["rows_eval"] + quarantined
    for split in ("train", "eval"):
        assert len(read(examples, split)) == counters[f"rows_{split}"]
    with open(quarantine_file(examples.uri)) as file:
        found = [json.loads(line) for line in file]
    assert [(row["file"], row["line"], row["offset"], row["column"]) for row in found] == [
        (f"{tmp_path}/adult.data", 1, 0, ""),
        (f"{tmp_path}/adult.data", 22, len(bad[0]) + len(content) + 2, "age"),
        (f"{tmp_path}/adult.test", 13, (tmp_path / "adult.test").stat().st_size - 2, ""),
    ][:quarantined]
    assert found[0]["row"] == "39, Stat\\xe9-gov"

    with pytest.raises(Exception) as caught:
        generate(
            base,
            str(tmp_path / "refused"),
            CensusConfig(holdout=holdout, max_bad_rows=quarantined - 1),
        )
    assert str(find_user_error(caught.value)).startswith(f"{tmp_path}/adult.data:1: ")
    assert f"the first of {quarantined} bad rows" in str(find_user_error(caught.value))
    assert not os.path.exists(quarantine_file(str(tmp_path / "refused")))


@pytest.mark.parametrize("name", ["adult.data", "adult.test"])
def test_a_missing_file_is_named(tmp_path, name):
    base = write_rows(tmp_path)
    os.remove(tmp_path / name)
    with pytest.raises(UserError, match=f"no {name} there, nor adult.csv"):
        generate(base, str(tmp_path / "out"), CensusConfig())


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir(REAL), reason="needs the original files")
def test_the_original_files_lose_no_row(tmp_path):
    examples = generate(REAL, str(tmp_path / "out"), CensusConfig())
    for split, count, positive in (("train", 32561, 0.2408), ("eval", 16281, 0.2362)):
        records = read(examples, split)
        labels = [r.features.feature["label"].int64_list.value[0] for r in records]
        assert examples.get_int_custom_property(f"rows_{split}") == len(records) == count
        assert round(np.mean(labels), 4) == positive
