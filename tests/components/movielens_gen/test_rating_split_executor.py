import glob

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs

from components.movielens_gen import executor
from components.movielens_gen.component import MovieLensExampleGen
from components.movielens_gen.config import RatingSplitConfig
from components.movielens_gen.executor import RatingSplitExecutor
from pipeline.datasets.movielens_sample import write_sample
from transforms.base.errors import UserError, find_user_error
from transforms.base.in_process_beam import LOCAL_ARGS
from transforms.vectorize_genres import GENRES

TWO_WORKERS = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")


def generate(input_base, uri, config=None, beam_args=()):
    component = MovieLensExampleGen(str(input_base), config or RatingSplitConfig(), code="abc")
    examples = standard_artifacts.Examples()
    examples.uri = str(uri)
    context = RatingSplitExecutor.Context(beam_pipeline_args=[*LOCAL_ARGS, *beam_args])
    RatingSplitExecutor(context).Do(
        {}, {standard_component_specs.EXAMPLES_KEY: [examples]}, component.exec_properties
    )
    return examples


def rows(examples, split):
    """Returns (user_id, item_id, timestamp, rating, *genres) of each rating, users ascending."""
    files = glob.glob(f"{artifact_utils.get_split_uri([examples], split)}/data_tfrecord-*-of-*.gz")
    names = ("user_id", "item_id", "timestamp", "rating", "genres")
    spec = {name: tf.io.RaggedFeature(tf.int64) for name in names}
    spec["rating"] = tf.io.RaggedFeature(tf.float32)
    batches = tf.data.TFRecordDataset(files, "GZIP").batch(1 << 20).as_numpy_iterator()
    parsed = tf.io.parse_example(next(batches), spec)
    users = parsed["user_id"]
    assert len(np.unique(users.flat_values)) == users.nrows()
    for name in names[:-1]:
        np.testing.assert_array_equal(parsed[name].row_splits, users.row_splits)
    genres = tf.reshape(parsed["genres"].flat_values, [-1, len(GENRES)])
    flat = [parsed[name].flat_values for name in names[:-1]]
    found = np.c_[(*flat, genres)]
    # The ratings of an Example stay in its order.
    return found[np.argsort(found[:, 0], kind="stable")]


def counters(examples):
    return {name: examples.get_int_custom_property(name) for name in RatingSplitExecutor.COUNTERS}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(str(folder))
    return folder


def test_an_example_is_a_users_ratings_with_the_genres_of_the_movies(sample, tmp_path, monkeypatch):
    examples = generate(sample, tmp_path / "one")
    raw = {}
    for line in (sample / "ratings.dat").read_text().splitlines():
        user, item, stars, time = map(int, line.split("::"))
        raw[user, item] = (user, item, time, stars)
    movies = {}
    for line in (sample / "movies.dat").read_text("latin-1").splitlines():
        item, _, listed = line.split("::")
        movies[int(item)] = {genre.replace("'s", "") for genre in listed.split("|")}
    splits = {name: rows(examples, name) for name in ("train", "eval")}
    seen = 0
    for found in splits.values():
        assert (np.diff(found[:, 2])[np.diff(found[:, 0]) == 0] >= 0).all()
    for row in np.concatenate(list(splits.values())):
        assert tuple(row[:4]) == raw.pop((row[0], row[1]))
        assert {GENRES[at] for at in np.flatnonzero(row[4:])} == movies[row[1]]
        seen += 1
    assert not raw
    sizes = {f"rows_{name}": len(found) for name, found in splits.items()}
    others = dict.fromkeys(("rows_left_out", "unmatched", "quarantined", "repeats"), 0)
    assert counters(examples) == {"rows": seen, **others, **sizes}
    assert 0.19 < sizes["rows_eval"] / seen < 0.21

    monkeypatch.setattr(executor, "_BLOCK_BYTES", 50_000)
    again = generate(sample, tmp_path / "two", beam_args=TWO_WORKERS)
    for name, found in splits.items():
        np.testing.assert_array_equal(rows(again, name), found)


def test_ratings_of_missing_movies_are_refused_or_counted(sample, tmp_path):
    ratings = (sample / "ratings.dat").read_text()
    (tmp_path / "ratings.dat").write_text(ratings + "1::9999999999::3::978300000\n")
    (tmp_path / "movies.dat").write_bytes((sample / "movies.dat").read_bytes())
    with pytest.raises(Exception) as caught:
        generate(tmp_path, tmp_path / "refused")
    assert "1 ratings are of movies" in str(find_user_error(caught.value))
    examples = generate(tmp_path, tmp_path / "out", RatingSplitConfig(max_unmatched=1))
    found = counters(examples)
    assert found["unmatched"] == 1
    assert found["rows"] == found["rows_train"] + found["rows_eval"] + found["unmatched"]


@pytest.mark.parametrize(("percent", "what"), [(1, "evaluate"), (99, "train")])
def test_a_split_without_a_rating_is_refused(percent, what, tmp_path):
    (tmp_path / "ratings.dat").write_text("1::5::3::978300000\n")
    (tmp_path / "movies.dat").write_text("5::A::War\n")
    with pytest.raises(
        UserError,
        match=f"split=random with eval_percent={percent} and split_time=0 leaves no rating to "
        f"{what} on; change",
    ):
        generate(tmp_path, tmp_path / "out", RatingSplitConfig(eval_percent=percent))


@pytest.mark.parametrize("holdout", ["test", "validation"])
def test_a_split_by_time_trains_on_nothing_that_came_later(holdout, sample, tmp_path):
    every = np.concatenate([rows(generate(sample, tmp_path / "all"), s) for s in ("train", "eval")])
    times = np.sort(every[:, 2])
    moment = int(times[len(times) // 2])
    config = RatingSplitConfig(split="global_time", split_time=moment, holdout=holdout)
    examples = generate(sample, tmp_path / "out", config)
    train, evaluated = (rows(examples, name)[:, 2] for name in ("train", "eval"))
    assert train.max() < evaluated.min()
    before = times[times < moment]
    if holdout == "test":
        assert len(train) == len(before)
        assert len(evaluated) == len(times) - len(before)
    else:
        assert len(train) + len(evaluated) == len(before)
        assert len(evaluated) >= 0.2 * len(before)
        day = evaluated.min() // 86_400
        assert np.sum(before // 86_400 > day) < 0.2 * len(before)
    assert f'"split_time": {moment}' in examples.get_string_custom_property("split")


def test_a_moment_before_or_after_all_ratings_is_told(sample, tmp_path):
    for moment, what in ((1, "train"), (4_000_000_000, "evaluate")):
        config = RatingSplitConfig(split="global_time", split_time=moment)
        with pytest.raises(UserError, match=f"split_time={moment} leaves no rating to {what} on"):
            generate(sample, tmp_path / what, config)


def test_ratings_of_another_scale_become_stars(tmp_path):
    stars = {1: 0, 2: 2.5, 3: 5, 4: 10, 5: 7}
    lines = "".join(f"{user},9,{rating},{user}\n" for user, rating in stars.items())
    (tmp_path / "ratings.csv").write_text(f"userId,movieId,rating,timestamp\n{lines}")
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n9,A,War\n")
    config = RatingSplitConfig(rating_scale="0:10", eval_percent=50)
    examples = generate(tmp_path, tmp_path / "out", config)
    found = np.concatenate([rows(examples, name) for name in ("train", "eval")])
    assert {row[0]: pytest.approx(row[3]) for row in found} == {
        user: 0.5 + 0.45 * rating for user, rating in stars.items()
    }
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,9,11,5\n")
    with pytest.raises(Exception, match=r"rating '11' is not from 0 to 10; bring all ratings"):
        generate(tmp_path, tmp_path / "refused", config)


def test_missing_movies_and_an_unknown_genre_are_named(sample, tmp_path):
    (tmp_path / "ratings.dat").write_bytes((sample / "ratings.dat").read_bytes())
    with pytest.raises(UserError, match=r"no movies; expected movies\.csv"):
        generate(tmp_path, tmp_path / "out")
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n5,A (1999),Wra\n")
    with pytest.raises(Exception) as caught:
        generate(tmp_path, tmp_path / "out")
    assert "movies.csv:2: movie 5 'A (1999)': genre 'Wra'" in str(find_user_error(caught.value))


@pytest.mark.parametrize(
    "setting",
    [
        {"eval_percent": 0},
        {"eval_percent": 100},
        {"seed": -1},
        {"max_unmatched": -1},
        {"max_bad_rows": -1},
    ],
)
def test_settings_out_of_range_are_named(setting):
    (name,) = setting
    with pytest.raises(UserError, match=f"{name}=.*: must be"):
        RatingSplitConfig(**setting)


def test_a_wrong_holdout_gets_the_nearest():
    with pytest.raises(UserError, match=r"holdout='tset'.*did you mean test\?"):
        RatingSplitConfig(holdout="tset")
