import dataclasses
import glob
import json
import os
import random
import zipfile

import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs

from components.movielens_gen import executor
from components.movielens_gen.component import MovieLensExampleGen
from components.movielens_gen.config import LeaveOneOutConfig
from components.movielens_gen.executor import LeaveOneOutExecutor
from transforms.base.errors import UserError, find_user_error
from transforms.base.in_process_beam import LOCAL_ARGS
from transforms.base.settings import to_json

REAL = os.path.join("..", "shared", "data", "movielens", "ml-1m.zip")
HISTORY: dict[str, set[str]] = {"train": set(), "eval": {"history"}}
COUNTERS = ("rows", "users", "evaluated_users", "dropped_users", "repeats", "items")
CONFIG = LeaveOneOutConfig(min_ratings=5, eval_negatives=10, seed=1)


def make_rows(seed: int = 0) -> list[tuple]:
    """(user, item, rating, timestamp) with repeats, ties in time, and users with few rows."""
    rng = random.Random(seed)
    rows = []
    for user in range(1, 60):
        for _ in range(rng.randint(1, 30)):
            rows.append((user * 7, rng.randint(1, 50) * 3, rng.randint(1, 5), rng.randint(1, 40)))
    rng.shuffle(rows)
    return rows


def write_rows(folder, rows: list[tuple]) -> str:
    lines = ["::".join(str(value) for value in row) for row in rows]
    (folder / "ratings.dat").write_text("\n".join(lines) + "\n")
    return str(folder)


def generate(
    input_base: str,
    uri: str,
    config: LeaveOneOutConfig,
    beam_args: tuple[str, ...] = (),
    code: str = "abc",
    **run_settings: int,
) -> standard_artifacts.Examples:
    component = MovieLensExampleGen(input_base, config, code=code)
    examples = standard_artifacts.Examples()
    examples.uri = uri
    context = LeaveOneOutExecutor.Context(beam_pipeline_args=[*LOCAL_ARGS, *beam_args])
    LeaveOneOutExecutor(context).Do(
        {},
        {standard_component_specs.EXAMPLES_KEY: [examples]},
        {**component.exec_properties, **run_settings},
    )
    return examples


def records(examples: standard_artifacts.Examples, split: str) -> list[bytes]:
    """Returns the split's Examples, serialised so that equal ones are equal bytes, sorted."""
    files = glob.glob(f"{artifact_utils.get_split_uri([examples], split)}/data_tfrecord-*-of-*.gz")
    parsed = (
        tf.train.Example.FromString(record)
        for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    )
    return sorted(example.SerializeToString(deterministic=True) for example in parsed)


def by_user(examples: standard_artifacts.Examples, split: str) -> dict[int, dict[str, list]]:
    users: dict[int, dict[str, list]] = {}
    for record in records(examples, split):
        feature = tf.train.Example.FromString(record).features.feature
        assert set(feature) == {"user_id", "item_id", "label"} | HISTORY[split]
        (user,) = feature["user_id"].int64_list.value
        assert user not in users
        users[user] = {
            "item_id": list(feature["item_id"].int64_list.value),
            "label": list(feature["label"].float_list.value),
            **{name: list(feature[name].int64_list.value) for name in HISTORY[split]},
        }
    return users


def plain_histories(rows: list[tuple], min_ratings: int) -> dict[int, list[int]]:
    latest: dict[int, dict[int, int]] = {}
    for user, item, _, time in rows:
        times = latest.setdefault(user, {})
        times[item] = max(time, times.get(item, time))
    histories = {
        user: [item for _, item in sorted((time, item) for item, time in times.items())]
        for user, times in latest.items()
    }
    return {user: items for user, items in histories.items() if len(items) >= min_ratings}


def counters(examples: standard_artifacts.Examples) -> dict[str, int]:
    return {name: examples.get_int_custom_property(name) for name in COUNTERS}


@pytest.mark.parametrize(("holdout", "hold_back"), [("test", 1), ("validation", 2)])
def test_the_splits_equal_a_plain_rendering_of_leave_one_out(tmp_path, holdout, hold_back):
    rows = make_rows()
    histories = plain_histories(rows, 5)
    items = {item for touched in histories.values() for item in touched}
    config = LeaveOneOutConfig(min_ratings=5, eval_negatives=10, holdout=holdout)
    examples = generate(write_rows(tmp_path, rows), str(tmp_path / "out"), config)

    assert by_user(examples, "train") == {
        user: {"item_id": touched[:-hold_back], "label": [1.0] * (len(touched) - hold_back)}
        for user, touched in histories.items()
    }
    candidates = by_user(examples, "eval")
    assert candidates.keys() == histories.keys()
    for user, touched in histories.items():
        held_out, *negatives = candidates[user]["item_id"]
        assert held_out == touched[-hold_back]
        assert len(negatives) == len(set(negatives)) == 10
        assert set(negatives) <= items - set(touched)
        assert candidates[user]["label"] == [1.0] + [0.0] * 10
        assert candidates[user]["history"] == touched[:-hold_back]
    assert counters(examples) == {
        "rows": len(rows),
        "users": len(histories),
        "evaluated_users": len(histories),
        "dropped_users": len({row[0] for row in rows}) - len(histories),
        "repeats": len(rows) - len({row[:2] for row in rows}),
        "items": len(items),
    }


def test_by_time_only_what_was_before_is_trained_on(tmp_path):
    rows = make_rows()
    histories = plain_histories(rows, 5)
    times = {}
    for user, item, _, time in rows:
        times[user, item] = max(time, times.get((user, item), time))
    config = LeaveOneOutConfig(min_ratings=5, eval_negatives=10, split="global_time", split_time=31)
    examples = generate(write_rows(tmp_path, rows), str(tmp_path / "out"), config)
    train, evaluated = by_user(examples, "train"), by_user(examples, "eval")
    for user, touched in histories.items():
        before = [item for item in touched if times[user, item] < 31]
        after = touched[len(before) :]
        if not before:
            assert user not in train and user not in evaluated
            continue
        assert train[user]["item_id"] == before
        assert (user in evaluated) == bool(after)
        if after:
            held_out, *negatives = evaluated[user]["item_id"]
            assert held_out == after[0] and not {*negatives} & {*touched}
            assert evaluated[user]["history"] == before
    found = counters(examples)
    assert (found["users"], found["evaluated_users"]) == (len(train), len(evaluated))
    assert 0 < len(evaluated) < len(train) < len(histories) + 1
    assert '"split_time": 31' in examples.get_string_custom_property("split")


def test_a_time_after_all_leaves_nobody_to_evaluate_on(tmp_path):
    config = LeaveOneOutConfig(
        min_ratings=5, eval_negatives=10, split="global_time", split_time=10**10
    )
    with pytest.raises(UserError, match="split_time=10000000000 leaves no user with"):
        generate(write_rows(tmp_path, make_rows()), str(tmp_path / "out"), config)


@pytest.mark.parametrize(
    ("movies", "message"),
    [
        ("movieId,title,genres\n3,A,War\n3,B,War\n", r"movies\.csv:3: movie 3 is at .*:2 already"),
        ("movieId,title,genres\n3,\u00c9t\u00e9,War\n", r"movies\.csv:2: byte 0xc9 at offset"),
    ],
)
def test_a_movies_file_is_checked_before_anything_is_made_of_the_ratings(tmp_path, movies, message):
    base = write_rows(tmp_path, make_rows())
    (tmp_path / "movies.csv").write_bytes(movies.encode("latin-1"))
    with pytest.raises(UserError, match=message):
        generate(base, str(tmp_path / "out"), CONFIG)
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n3,A,War\nx-1,B,War\n")
    strings = LeaveOneOutConfig(min_ratings=5, eval_negatives=10, string_ids=True)
    assert counters(generate(base, str(tmp_path / "strings"), strings))["users"]
    with pytest.raises(UserError, match=r"movieId 'x-1' is not an integer .*string_ids=true"):
        generate(base, str(tmp_path / "integers"), CONFIG)


def test_the_artifact_says_what_it_holds(tmp_path):
    base = write_rows(tmp_path, make_rows())
    examples = generate(base, str(tmp_path / "out"), CONFIG)
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "eval"]
    assert examples.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"
    assert examples.get_string_custom_property("file_format") == "tfrecords_gzip"
    assert examples.get_string_custom_property("input_base") == base
    assert examples.get_string_custom_property("settings") == to_json(CONFIG)
    split = json.loads(examples.get_string_custom_property("split"))
    assert split == CONFIG.split_identity()


def test_a_user_who_has_touched_every_item_has_no_negative(tmp_path):
    rows = [(1, item, 3, item) for item in range(16)] + [(2, item, 3, item) for item in range(6)]
    examples = generate(write_rows(tmp_path, rows), str(tmp_path / "out"), CONFIG)
    candidates = by_user(examples, "eval")
    assert candidates[1] == {"item_id": [15], "label": [1.0], "history": [*range(15)]}
    assert sorted(candidates[2]["item_id"][1:]) == [*range(6, 16)]
    names = ("evaluated_users", "ranked_users", "fewer_negatives", "most_negatives")
    assert [examples.get_int_custom_property(name) for name in names] == [2, 1, 1, 10]


@pytest.mark.parametrize(("items", "most"), [(6, 0), (15, 9)])
def test_nobody_to_rank_is_told_with_how_many_items_are_left(tmp_path, items, most):
    rows = [(user, item, 3, item) for user in range(40) for item in range(6)]
    rows += [(99, item, 3, item) for item in range(items)]
    with pytest.raises(UserError) as caught:
        generate(write_rows(tmp_path, rows), str(tmp_path / "out"), CONFIG)
    told = f"takes 10 items that a user has not touched, and of {items} each user leaves {most} at"
    assert f"{tmp_path}/*: nobody can be ranked: that {told} most; " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_only_left_out_as_the_last_is_an_item_too(tmp_path):
    rows = [(1, item, 3, item) for item in (*range(15), 99)]
    rows += [(2, item, 3, item) for item in range(6)]
    config = LeaveOneOutConfig(min_ratings=5, eval_negatives=10, holdout="validation")
    examples = generate(write_rows(tmp_path, rows), str(tmp_path / "out"), config)
    assert sorted(by_user(examples, "eval")[2]["item_id"][1:]) == [*range(6, 15), 99]


def test_only_the_negatives_follow_the_seed(tmp_path):
    base = write_rows(tmp_path, make_rows())
    first = generate(base, str(tmp_path / "1"), CONFIG)
    other = generate(base, str(tmp_path / "2"), LeaveOneOutConfig(min_ratings=5, eval_negatives=10))
    assert records(first, "train") == records(other, "train")
    assert records(first, "eval") != records(other, "eval")
    again = generate(base, str(tmp_path / "3"), CONFIG, seed=0)
    assert records(again, "eval") == records(other, "eval")


def test_full_users_takes_the_history_of_the_others_and_nothing_else(tmp_path):
    base = write_rows(tmp_path, make_rows())
    every = generate(base, str(tmp_path / "1"), CONFIG)
    config = dataclasses.replace(CONFIG, full_users=10)
    some = generate(base, str(tmp_path / "2"), config)
    assert records(some, "train") == records(every, "train")
    found = by_user(some, "eval")
    drawn = {user for user, row in found.items() if row["history"]}
    assert 0 < len(drawn) == some.get_int_custom_property("full_ranked_users") < len(found) / 2
    plain = by_user(every, "eval")
    assert found == plain | {u: plain[u] | {"history": []} for u in plain.keys() - drawn}
    total = every.get_int_custom_property("evaluated_users")
    assert every.get_int_custom_property("full_ranked_users") == total == len(plain)


def test_nobody_drawn_to_rank_among_all_items_is_told(tmp_path):
    rows = [(3, item, 3, item) for item in range(6)] + [(4, item, 3, item) for item in range(9)]
    rows += [(7, item, 3, item) for item in range(30)]
    config = dataclasses.replace(CONFIG, full_users=1)
    with pytest.raises(UserError, match="full_users=1 drew nobody to rank among all items; "):
        generate(write_rows(tmp_path, rows), str(tmp_path / "out"), config)


def test_records_do_not_depend_on_blocks_buckets_or_the_order_of_rows(tmp_path, monkeypatch):
    rows = make_rows()
    base = write_rows(tmp_path, rows)
    whole = generate(base, str(tmp_path / "whole"), CONFIG)
    monkeypatch.setattr(executor, "_BLOCK_BYTES", 700)
    write_rows(tmp_path, rows[::-1])
    cut = generate(base, str(tmp_path / "cut"), CONFIG)
    assert counters(cut) == counters(whole)
    for split in ("train", "eval"):
        assert records(cut, split) == records(whole, split)


@pytest.mark.slow
def test_records_do_not_depend_on_the_number_of_workers(tmp_path, monkeypatch):
    base = write_rows(tmp_path, make_rows())
    one = generate(base, str(tmp_path / "one"), CONFIG)
    monkeypatch.setattr(executor, "_BLOCK_BYTES", 1000)
    args = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    two = generate(base, str(tmp_path / "two"), CONFIG, args)
    assert counters(two) == counters(one)
    for split in ("train", "eval"):
        assert records(two, split) == records(one, split)


def test_a_malformed_row_stops_the_run_with_one_line_and_no_examples(tmp_path):
    base = write_rows(tmp_path, [*make_rows(), ("x12", 1, 3, 1)])
    with pytest.raises(Exception, match="x12") as caught:
        generate(base, str(tmp_path / "out"), CONFIG)
    line = len(make_rows()) + 1
    assert str(find_user_error(caught.value)) == (
        f"{base}/ratings.dat:{line}: user_id 'x12' is not an integer; mend the row or remove it"
    )
    assert glob.glob(f"{tmp_path}/out/*/data_tfrecord*") == []


def test_a_run_that_drops_every_user_is_a_users_mistake(tmp_path):
    base = write_rows(tmp_path, make_rows())
    with pytest.raises(UserError, match=r"min_ratings=1000 drops every user, .*dropped_users=59"):
        generate(base, str(tmp_path / "out"), LeaveOneOutConfig(min_ratings=1000))


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists(REAL), reason="no MovieLens data here")
def test_ml_1m_is_split_as_published(tmp_path):
    with zipfile.ZipFile(REAL) as archive:
        archive.extract("ml-1m/ratings.dat", tmp_path)
    examples = generate(str(tmp_path / "ml-1m"), str(tmp_path / "out"), LeaveOneOutConfig())
    assert counters(examples) == {
        "rows": 1_000_209,
        "users": 6040,
        "evaluated_users": 6040,
        "dropped_users": 0,
        "repeats": 0,
        "items": 3706,
    }
    train, candidates = by_user(examples, "train"), by_user(examples, "eval")
    assert sum(len(user["item_id"]) for user in train.values()) == 1_000_209 - 6040
    assert {len(user["item_id"]) for user in candidates.values()} == {101}
    assert all(
        not set(train[user]["item_id"]) & set(candidates[user]["item_id"]) for user in candidates
    )


def test_other_code_than_was_compiled_is_refused_first(tmp_path):
    code = "0@components.movielens_gen.component"
    with pytest.raises(UserError, match=r"^components\.movielens_gen\.component: the code in this"):
        generate(str(tmp_path), str(tmp_path / "examples"), LeaveOneOutConfig(), code=code)
