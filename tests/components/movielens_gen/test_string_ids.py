"""Leave-one-out of ratings whose ids are text."""

import glob

import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs

from components.movielens_gen import executor
from components.movielens_gen.component import MovieLensExampleGen
from components.movielens_gen.config import LeaveOneOutConfig
from components.movielens_gen.executor import LeaveOneOutExecutor
from transforms.base.in_process_beam import LOCAL_ARGS

HEADER = "userId,movieId,rating,timestamp\n"
CONFIG = {"min_ratings": 5, "eval_negatives": 10, "seed": 1}


def rows():
    """(user, item, timestamp) of 40 users and 50 items, from all of whom 5 are dropped."""
    return [
        (user, (user * 13 + at * 7) % 50, (at * 31) % 17)
        for user in range(40)
        for at in range(4 if user < 5 else 6 + user % 9)
    ]


def generate(folder, lines, **settings):
    """Returns by split the users' items and labels, in order of the users, and the counters."""
    folder.mkdir(exist_ok=True)
    (folder / "ratings.csv").write_text(HEADER + "".join(lines), encoding="utf-8")
    config = LeaveOneOutConfig(**CONFIG, **settings)
    examples = standard_artifacts.Examples()
    examples.uri = str(folder / "out")
    executor_ = LeaveOneOutExecutor(
        LeaveOneOutExecutor.Context(beam_pipeline_args=list(LOCAL_ARGS))
    )
    component = MovieLensExampleGen(str(folder), config, code="abc")
    executor_.Do({}, {standard_component_specs.EXAMPLES_KEY: [examples]}, component.exec_properties)
    splits = {split: sorted(_read(examples, split)) for split in ("train", "eval")}
    names = LeaveOneOutExecutor.COUNTERS
    return splits, {name: examples.get_int_custom_property(name) for name in names}


def _read(examples, split):
    files = glob.glob(f"{artifact_utils.get_split_uri([examples], split)}/data_tfrecord-*.gz")
    for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        user, items = (
            [value.decode() if isinstance(value, bytes) else value for value in values]
            for values in (
                feature[name].bytes_list.value or feature[name].int64_list.value
                for name in ("user_id", "item_id")
            )
        )
        yield (*user, items, list(feature["label"].float_list.value))


def test_string_ids_are_split_as_integers_of_the_same_order_are(tmp_path):
    integers, counters = generate(tmp_path / "int", (f"{u},{i},4,{t}\n" for u, i, t in rows()))
    named = (f'"{u:03}, é ",\tsku-{i:03},4,{t}\n' for u, i, t in rows())
    strings, same_counters = generate(tmp_path / "str", named, string_ids=True)
    assert same_counters == counters and counters["dropped_users"] == 5
    # Codes are 0, 1, 2 and so on, as these integers are: even the negatives are the same.
    for split, users in integers.items():
        assert strings[split] == [
            (f"{user:03}, é", [f"sku-{item:03}" for item in items], labels)
            for user, items, labels in users
        ]


def test_blocks_and_the_order_of_rows_do_not_matter_to_string_ids(tmp_path, monkeypatch):
    lines = [f"user {u * 7 % 40},{i}-0x1F,4,{t}\n" for u, i, t in rows()]
    whole = generate(tmp_path / "whole", lines, string_ids=True)
    monkeypatch.setattr(executor, "_BLOCK_BYTES", 300)
    assert generate(tmp_path / "cut", lines[::-1], string_ids=True) == whole


@pytest.mark.parametrize("config", [{}, {"string_ids": True}])
def test_ids_that_differ_in_zeros_alone_are_the_same_only_as_integers(tmp_path, config):
    lines = [f"{user},{item},4,1\n" for user in ("1", "01") for item in range(5)]
    lines += [f"2,{item},4,1\n" for item in range(10, 20)]
    splits, counters = generate(tmp_path / "zeros", lines, **config)
    assert counters["users"] == len(splits["train"]) == (3 if config else 2)


@pytest.mark.parametrize("config", [{}, {"string_ids": True}])
def test_items_and_movies_without_each_other_are_counted(tmp_path, config):
    (tmp_path / "titled").mkdir()
    (tmp_path / "titled" / "movies.csv").write_text("movieId,title,genres\n0,A,\n1,B,\n99,C,\n")
    lines = [f"{user},{item},4,{item}\n" for user in range(3) for item in range(5 * user, 15)]
    _, counters = generate(tmp_path / "titled", lines, **config)
    assert (counters["untitled_items"], counters["unrated_movies"]) == (13, 1)
    _, counters = generate(tmp_path / "plain", lines, **config)
    assert (counters["untitled_items"], counters["unrated_movies"]) == (0, 0)
