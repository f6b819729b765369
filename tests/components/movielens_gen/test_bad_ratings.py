"""Ratings that are malformed, repeated, contradictory or few, through the whole ExampleGen."""

import glob
import gzip
import json
import os

import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs

from components.example_gen.executor import quarantine_file
from components.movielens_gen import executor
from components.movielens_gen.component import MovieLensExampleGen
from components.movielens_gen.config import LeaveOneOutConfig, RatingSplitConfig
from components.movielens_gen.executor import LeaveOneOutExecutor, RatingSplitExecutor
from transforms.base.errors import UserError, find_user_error
from transforms.base.in_process_beam import LOCAL_ARGS

EXECUTORS = {LeaveOneOutConfig: LeaveOneOutExecutor, RatingSplitConfig: RatingSplitExecutor}
SMALL = {"min_ratings": 3, "eval_negatives": 10}
LEAST, MOST = -(2**63), 2**63 - 1
NOBODY = "min_ratings=3 drops every user"
OTHERS = [(9, item, 4, item) for item in (1, 2, 3, 4, 5)]
# Whose items the others have not touched, so that they can be ranked.
BYSTANDER = [(77, item, 4, item) for item in range(101, 113)]

# What the ratings hold, as (user, item, stars, time); and the items of the users in time order,
# each last one held out, or the reason of the refusal.
TABLE = [
    (
        "users who have touched the same items",
        [(1, item, 3, item) for item in (1, 2, 3, 4, 5)] + OTHERS[:3],
        {1: [1, 2, 3, 4, 5], 9: [1, 2, 3]},
    ),
    ("a single user", OTHERS, {9: [1, 2, 3, 4, 5]}),
    ("a single item", [(user, 1, 3, 1) for user in range(30)], NOBODY),
    ("a single rating", [(1, 1, 3, 1)], NOBODY),
    (
        "users with too few ratings alone",
        [*OTHERS[:2], (1, 1, 3, 1)],
        NOBODY,
    ),
    ("every rating twice", OTHERS * 2, {9: [1, 2, 3, 4, 5]}),
    (
        "the same rating with other stars",
        [*OTHERS, (9, 3, 1, 3), (9, 3, 5, 3)],
        {9: [1, 2, 3, 4, 5]},
    ),
    ("the same movie rated again later", [*OTHERS, (9, 2, 1, 99)], {9: [1, 3, 4, 5, 2]}),
    ("all in one second", [(9, item, 3, 7) for item in (5, 3, 4)], {9: [5, 4, 3]}),
    (
        "the least and the greatest ids",
        [(LEAST, item, 3, at) for at, item in enumerate((LEAST, 0, MOST))]
        + [(MOST, i, 3, at) for at, i in enumerate((1, 2, MOST))],
        {LEAST: [LEAST, 0, MOST], MOST: [1, 2, MOST]},
    ),
    (
        "the latest second there is",
        [(9, 1, 3, 2**32 - 1), (9, 2, 3, 0), (9, 3, 3, 2**32 - 2)],
        {9: [2, 3, 1]},
    ),
]


def generate(folder, config, beam_args=()):
    component = MovieLensExampleGen(str(folder), config, code="abc")
    examples = standard_artifacts.Examples()
    examples.uri = str(folder / "out")
    chosen = EXECUTORS[type(config)]
    try:
        chosen(chosen.Context(beam_pipeline_args=[*LOCAL_ARGS, *beam_args])).Do(
            {}, {standard_component_specs.EXAMPLES_KEY: [examples]}, component.exec_properties
        )
    except Exception as error:
        raise find_user_error(error) or error from None
    return examples


def features(examples, split):
    files = glob.glob(f"{artifact_utils.get_split_uri([examples], split)}/data_tfrecord-*-of-*.gz")
    return [
        tf.train.Example.FromString(record).features.feature
        for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    ]


def counters(examples, config):
    names = EXECUTORS[type(config)].COUNTERS
    return {name: examples.get_int_custom_property(name) for name in names}


def histories(examples):
    found = {}
    for split in ("train", "eval"):
        for example in features(examples, split):
            (user,) = example["user_id"].int64_list.value
            items = list(example["item_id"].int64_list.value)
            found[user] = [*found.get(user, []), *(items if split == "train" else items[:1])]
            if split == "eval":
                assert not set(items[1:]) & set(found[user])
    return found


@pytest.mark.parametrize(("rows", "outcome"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE])
def test_odd_data_sets_are_split_right_or_refused(tmp_path, tally, rows, outcome):
    bystander = [] if isinstance(outcome, str) else BYSTANDER
    lines = ["::".join(map(str, row)) + "\n" for row in [*rows, *bystander]]
    (tmp_path / "ratings.dat").write_text("".join(lines))
    config = LeaveOneOutConfig(**SMALL)

    def check():
        if isinstance(outcome, str):
            with pytest.raises(UserError, match=outcome):
                generate(tmp_path, config)
            return "refused"
        examples = generate(tmp_path, config)
        assert histories(examples) == outcome | {77: [item for _, item, _, _ in BYSTANDER]}
        return "right"

    tally.judge("broken files", check)


BAD = {
    2: ("rating", "1::1193::x::5", "rating 'x' is not a number"),
    5: ("", "1::\udcff", "'1::\ufffd' does not have 4 fields"),
    9: ("timestamp", "1::2::3::-4", "timestamp '-4' is negative"),
    25: ("item_id", "x::y::3::4", None),
}


@pytest.fixture
def damaged(tmp_path):
    """A data set of 30 lines: four are bad, four repeat others, one user has too few."""
    rows = [(user, 10 * user + item, 3, item) for user in (1, 2) for item in range(10)]
    rows += [(3, 1, 3, 1), (3, 2, 3, 1), *rows[:4]]
    lines = ["::".join(map(str, row)) for row in rows]
    for number, (_, text, _) in BAD.items():
        lines.insert(number - 1, text)
    content = "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")
    (tmp_path / "ratings.dat").write_bytes(content)
    movies = (f"{item}::M::War\n" for item in range(30) if item not in (14, 24))
    (tmp_path / "movies.dat").write_text("".join(movies))
    return tmp_path


@pytest.mark.parametrize(
    "config",
    [
        LeaveOneOutConfig(**SMALL, max_bad_rows=4),
        pytest.param(
            LeaveOneOutConfig(**SMALL, max_bad_rows=9, holdout="validation"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            RatingSplitConfig(max_bad_rows=4, max_unmatched=2, seed=3), marks=pytest.mark.slow
        ),
        RatingSplitConfig(max_bad_rows=4, max_unmatched=2, seed=3, holdout="validation"),
    ],
    ids=["last", "one before", "split", "split again"],
)
def test_bad_rows_are_set_aside_and_every_row_is_accounted_for(damaged, monkeypatch, config):
    examples = generate(damaged, config)
    path = quarantine_file(examples.uri)
    with open(path, encoding="utf-8") as file:
        whole = file.read()
    content = (damaged / "ratings.dat").read_bytes()
    rows = [json.loads(line) for line in whole.splitlines()]
    assert [row["line"] for row in rows] == list(BAD)
    for row in rows:
        column, text, reason = BAD[row["line"]]
        raw = text.encode(errors="surrogateescape")
        assert content[row["offset"] :].startswith(raw + b"\n")
        assert row["row"] == raw.decode(errors="backslashreplace")
        assert row["file"] == f"{damaged}/ratings.dat"
        assert reason is None or (row["column"], row["reason"]) == (column, reason)
    assert os.listdir(os.path.dirname(path)) == ["bad_rows.jsonl"]

    found = counters(examples, config)
    assert found["rows"] == 30 and found["quarantined"] == 4
    if isinstance(config, LeaveOneOutConfig):
        assert (found["dropped_rows"], found["repeats"]) == (2, 4)
        parts = ("kept_rows", "repeats", "low_rated", "dropped_rows", "quarantined")
        left_out = found["users"] if config.holdout == "validation" else 0
        assert sum(map(len, histories(examples).values())) + left_out == found["kept_rows"]
    else:
        assert found["unmatched"] == 2 and found["repeats"] == 4
        assert (found["rows_left_out"] > 0) == (config.holdout == "validation")
        parts = ("rows_train", "rows_eval", "rows_left_out", "unmatched", "quarantined")
        for split in ("train", "eval"):
            lists = [of["rating"].float_list.value for of in features(examples, split)]
            assert sum(map(len, lists)) == found[f"rows_{split}"]
    assert found["rows"] == sum(found[name] for name in parts)

    monkeypatch.setattr(executor, "_BLOCK_BYTES", 100)
    two = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
    again = generate(damaged, config, two)
    assert counters(again, config) == found
    with open(path, encoding="utf-8") as file:
        assert file.read() == whole


@pytest.mark.parametrize(
    ("block_bytes", "mode"),
    [
        (1 << 20, "in_memory"),
        (100, "in_memory"),
        pytest.param(100, "multi_processing", marks=pytest.mark.slow),
    ],
)
def test_more_bad_rows_than_allowed_are_refused_with_the_first_one(
    damaged, monkeypatch, block_bytes, mode
):
    monkeypatch.setattr(executor, "_BLOCK_BYTES", block_bytes)
    beam_args = (f"--direct_running_mode={mode}", "--direct_num_workers=2")
    with pytest.raises(UserError) as caught:
        generate(damaged, LeaveOneOutConfig(**SMALL, max_bad_rows=3), beam_args)
    assert str(caught.value) == (
        f"{damaged}/ratings.dat:2: rating 'x' is not a number: the first of 4 bad "
        "rows, more than max_bad_rows=3; mend or remove them, or allow more"
    )
    assert not os.path.exists(quarantine_file(str(damaged / "out")))


def test_without_bad_rows_there_is_no_quarantine(tmp_path):
    rows = [*OTHERS, *BYSTANDER]
    (tmp_path / "ratings.dat").write_text("".join("{}::{}::{}::{}\n".format(*r) for r in rows))
    examples = generate(tmp_path, LeaveOneOutConfig(**SMALL, max_bad_rows=3))
    assert counters(examples, LeaveOneOutConfig())["quarantined"] == 0
    assert not os.path.exists(quarantine_file(examples.uri))


def test_milliseconds_give_an_order_and_are_seconds_of_a_rating(tmp_path):
    rows = [(9, item, 3, 1_500_000_000_999 - item) for item in range(5)]
    rows += [(77, item, 3, 1_500_000_000_999 - item) for _, item, _, _ in BYSTANDER]
    (tmp_path / "ratings.dat").write_text("".join("{}::{}::{}::{}\n".format(*r) for r in rows))
    movies = [*range(5), *(item for _, item, _, _ in BYSTANDER)]
    (tmp_path / "movies.dat").write_text("".join(f"{item}::M::War\n" for item in movies))
    examples = generate(tmp_path, LeaveOneOutConfig(**SMALL))
    assert histories(examples)[9] == [4, 3, 2, 1, 0]
    examples = generate(tmp_path, RatingSplitConfig(seed=1))
    found = features(examples, "train") + features(examples, "eval")
    assert {t for e in found for t in e["timestamp"].int64_list.value} == {1_500_000_000}


@pytest.mark.parametrize(
    ("name", "content", "settings", "expected"),
    [
        ("ratings.csv.gz", gzip.compress(b"9,1,3,5\n9,2,3,6\n9,3,3,7\n"), {}, [1, 2, 3]),
        ("u.data", b"9\t1\t3\t5\n9\t2\t3\t6\n9\t3\t3\t7\n", {}, [1, 2, 3]),
        ("ratings/part-0.csv", b"9,1,3,5\n9,2,3,6\n9,3,3,7\n", {}, [1, 2, 3]),
        (
            "plays.csv",
            b"wer;was;wie oft\n9;1;3\n9;2;1\n9;3;7\n9;4;2\n9;5;0\n",
            {"columns": "user:wer,item:was,rating:wie oft", "min_rating": 2.0},
            {1, 3, 4},
        ),
        (
            "ratings.csv",
            b"user,item,time\n9,1,2001-01-03\n9,2,2001-01-01\n9,3,2001-01-02\n",
            {"split": "global_time", "split_time": 978393600},
            [2, 3],
        ),
    ],
    ids=["packed", "ml-100k", "parts", "counts without times", "dates"],
)
def test_files_of_ones_own_are_read(tmp_path, monkeypatch, name, content, settings, expected):
    # Nobody can be ranked among so few items.
    monkeypatch.delitem(LeaveOneOutExecutor.REQUIRED, "ranked_users")
    (tmp_path / "my[1]?" / name).parent.mkdir(parents=True)
    (tmp_path / "my[1]?" / name).write_bytes(content)
    # Not so, whatever a glob would take it for.
    (tmp_path / "my[1]?" / "ratings.old.csv").write_text("no ratings")
    base = tmp_path / "my[1]?" / (name if name == "plays.csv" else "")
    config = LeaveOneOutConfig(**{**SMALL, "min_ratings": 2}, **settings)
    component = MovieLensExampleGen(str(base), config, code="abc")
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "out")
    LeaveOneOutExecutor(LeaveOneOutExecutor.Context(beam_pipeline_args=[*LOCAL_ARGS])).Do(
        {}, {standard_component_specs.EXAMPLES_KEY: [examples]}, component.exec_properties
    )
    found = histories(examples)[9]
    assert ({*found} if isinstance(expected, set) else found) == expected
    count = counters(examples, config)
    parts = ("kept_rows", "repeats", "low_rated", "dropped_rows", "quarantined")
    assert count["rows"] == sum(count[part] for part in parts)
    assert count["low_rated"] == (2 if "min_rating" in settings else 0)
    assert count["timeless_users"] == (1 if "min_rating" in settings else 0)


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path, tally):
    (tmp_path / "ratings.dat").mkdir()

    def check():
        with pytest.raises(UserError, match=r"no ratings; expected ratings\.csv"):
            generate(tmp_path, LeaveOneOutConfig())
        return "refused"

    tally.judge("broken files", check)


@pytest.mark.parametrize("config", [LeaveOneOutConfig(**SMALL), RatingSplitConfig()])
def test_ratings_that_will_not_fit_are_refused_before_they_are_read(config, tmp_path, monkeypatch):
    (tmp_path / "movies.dat").write_text("1::M::War\n")
    (tmp_path / "ratings.dat").write_text("9::1::3::4\n" + "not read\n" * 1000)
    monkeypatch.setattr(executor, "free_memory", lambda: float(1200 << 20))
    message = r"ratings\.dat: takes about 1\.2 GiB of memory, and 1\.2 GiB are free; .*BEAM_ENGINE"
    with pytest.raises(UserError, match=message):
        generate(tmp_path, config)
    monkeypatch.setattr(executor, "free_memory", lambda: float(1201 << 20))
    with pytest.raises(UserError, match=r"ratings\.dat:2: 'not read' does not have 4 fields"):
        generate(tmp_path, config)
