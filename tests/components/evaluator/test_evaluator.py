"""The gate end to end: real SavedModels through TFX's Evaluator, our metrics and bounds."""

import glob
import json
import os
import shutil
import zlib
from contextlib import nullcontext

import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import proto_utils

from components.evaluator import executor
from components.evaluator.driver import EvaluatorDriver
from components.evaluator.executor import EvaluatorExecutor
from components.evaluator.smoke_test import UnservableModelError
from components.model_records.in_use import model_identity, model_in_use
from components.ranking_metrics import full_ranking
from pipeline.config import preset
from pipeline.eval_config import eval_config
from pipeline.exit_code import ExitCode, outcome_of
from pipeline.settings import apply_settings
from transforms.base.errors import UserError, find_user_error
from transforms.base.in_process_beam import LOCAL_ARGS
from transforms.base.settings import to_json

USERS = 40
# Bounds that are none.
OFF = {"min_full_hit_rate": 0.0, "min_full_ndcg": 0.0}
CONFIG = apply_settings(
    preset("ncf", "ncf_2018"), ["min_hit_rate=0.5", "min_ndcg=0.25", "max_regression=0.01"]
)
SPLIT = CONFIG.data.split_identity()


def labels_of(user):
    """One positive, at a place that differs by user, among 15 or 30 candidates."""
    return np.eye(1, 15 if user % 2 else 30, user % 15, dtype=np.float32)[0]


def perfect(label, place):
    return label


def by_place(label, place):
    """The score falls with the place: the rank of the positive is its place + 1."""
    return -place + label * 0.5


def not_a_number(user_id):
    return {"user_id": tf.strings.to_number(tf.strings.as_string(user_id) + "x")}


def save(path, score, kind=tf.float32, ranks_all=True, lists=True, broken=False):
    """Saves a model whose score of a candidate is a function of its label and place.

    With a kind it has a second signature, with an input of that type, which gives no answer if it
    is broken; without lists it scores the first candidate alone. Of all items, whose number is
    200, it recommends the first, and ranks the held-out one ten places below that among candidates.
    """

    @tf.function
    def scored(examples):
        labels = tf.io.parse_example(examples, {"label": tf.io.RaggedFeature(tf.float32)})["label"]
        labels = labels.with_row_splits_dtype(tf.int64)
        place = tf.cast(tf.ragged.range(labels.row_lengths()), tf.float32)
        return labels.to_tensor(), score(labels, place).to_tensor(tf.float32.min)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve(examples):
        scores = scored(examples)[1]
        return {"scores": scores if lists else scores[:, 0]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def rank_all(examples):
        labels, scores = scored(examples)
        own = tf.reduce_sum(labels * scores, axis=1, keepdims=True)
        rank = 10.0 + tf.reduce_sum(tf.cast(scores >= own, tf.float32), axis=1, keepdims=True)
        users = tf.shape(scores)[0]
        return {
            full_ranking.RANK: rank,
            full_ranking.TOP: tf.tile(tf.range(100, dtype=tf.int64)[tf.newaxis], [users, 1]),
            full_ranking.HISTORY: tf.tile(tf.constant([[3, 150, -1]], tf.int64), [users, 1]),
            full_ranking.ITEMS: tf.fill([users, 1], tf.constant(200, tf.int64)),
        }

    signatures = {"serving_default": serve}
    if ranks_all:
        signatures[full_ranking.SIGNATURE] = rank_all
    if kind:
        by_name = tf.TensorSpec([None], kind, "user_id")
        asked = not_a_number if broken else (lambda user_id: {"user_id": user_id})
        signatures["score"] = tf.function(asked, [by_name])
    module = tf.Module()
    module.functions = list(signatures.values())
    # Two functions differ in their graphs, and models of ours in their weights.
    module.weights = tf.Variable(float(zlib.crc32(path.encode())))
    tf.saved_model.save(module, path, signatures=signatures)


class Place:
    """Examples, a serving folder, and an Evaluator."""

    def __init__(self, folder):
        self.folder = folder
        self.serving = str(folder / "serving")
        self._runs = 0
        self.examples = standard_artifacts.Examples()
        self.examples.uri = str(folder / "examples")
        self.examples.split_names = artifact_utils.encode_split_names(["eval"])
        self.write(labels_of(user) for user in range(USERS))

    def write(self, lists):
        folder = os.path.join(self.examples.uri, "Split-eval")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        with tf.io.TFRecordWriter(os.path.join(folder, "data.gz"), "GZIP") as writer:
            for user, labels in enumerate(lists):
                features = {
                    "user_id": tf.train.Feature(int64_list=tf.train.Int64List(value=[user])),
                    "item_id": tf.train.Feature(
                        int64_list=tf.train.Int64List(value=range(len(labels)))
                    ),
                    "label": tf.train.Feature(float_list=tf.train.FloatList(value=labels)),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())

    def evaluate(
        self,
        score,
        split=SPLIT,
        dataset="mine",
        kind=tf.float32,
        ranks_all=True,
        broken=False,
        **bounds,
    ):
        """Returns the record, and as `reference` what the driver had told TFX's cache."""
        self._runs += 1
        home = str(self.folder / f"run{self._runs}")
        self.model = os.path.join(home, "model", "Format-Serving")
        save(self.model, score, kind, ranks_all, broken=broken)
        model, evaluation, self.blessing = (
            standard_artifacts.Model(),
            standard_artifacts.ModelEvaluation(),
            standard_artifacts.ModelBlessing(),
        )
        model.uri = os.path.join(home, "model")
        model.set_string_custom_property("settings", json.dumps({"train_epochs": 3}))
        evaluation.uri = os.path.join(home, "evaluation")
        self.blessing.uri = os.path.join(home, "blessing")
        for name, value in {
            "input_base": "data/mine",
            "settings": to_json(CONFIG.data),
            "split": json.dumps(split),
            "input_fingerprint": "1 file",
        }.items():
            self.examples.set_string_custom_property(name, value)
        inputs = {"examples": [self.examples], "model": [model]}
        properties = {
            "pipeline": "ncf",
            "dataset": dataset,
            "serving_dir": self.serving,
            "gate": to_json(CONFIG.gate.limits()),
            "code": '{"evaluator": "abc"}',
            "eval_config": proto_utils.proto_to_json(eval_config(CONFIG.definition, CONFIG.gate)),
            **bounds,
        }
        told = EvaluatorDriver(None).run(
            ExecutionInfo(input_dict=inputs, exec_properties=properties)
        )
        context = BaseBeamExecutor.Context(
            beam_pipeline_args=list(LOCAL_ARGS), tmp_dir=home, unique_id="1"
        )
        EvaluatorExecutor(context).Do(
            inputs, {"evaluation": [evaluation], "blessing": [self.blessing]}, properties
        )
        with open(os.path.join(self.blessing.uri, "record.json"), encoding="utf-8") as file:
            record = json.load(file)
        assert record["blessed"] == os.path.exists(os.path.join(self.blessing.uri, "BLESSED"))
        assert record["blessed"] == self.blessing.get_int_custom_property("blessed")
        return {**record, "reference": told.exec_properties["baseline"].string_value}

    def push(self, version, record=True):
        """Puts the model that was evaluated last into the serving folder."""
        folder = os.path.join(self.serving, str(version))
        shutil.copytree(self.model, folder)
        if record:
            shutil.copy(os.path.join(self.blessing.uri, "record.json"), folder)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.fixture(autouse=True)
def smoke_test(monkeypatch):
    """Does without the smoke test, which takes longer than the rest; returns what brings it."""
    asked = executor.SmokeTest
    monkeypatch.setattr(executor, "SmokeTest", Passed)
    return lambda: monkeypatch.setattr(executor, "SmokeTest", asked)


class Passed(nullcontext):
    def __init__(self, model, examples):
        assert os.path.isdir(model) and glob.glob(examples)
        super().__init__(self)

    def failure(self):
        return ""


def test_a_model_that_answers_is_blessed_and_one_that_does_not_is_refused(place, smoke_test):
    smoke_test()
    assert place.evaluate(perfect)["blessed"]
    record = place.evaluate(perfect, broken=True)
    assert not record["blessed"] and record["metrics"]["hit_rate_at_10"] == 1
    (reason,) = record["reasons"]
    assert "does not answer in a process of its own: signature score: " in reason


def test_a_model_that_cannot_be_evaluated_either_is_told_in_a_line(place, smoke_test):
    def fails(label, place):
        return tf.strings.to_number(tf.strings.as_string(label) + "x")

    smoke_test()
    with pytest.raises(UnservableModelError) as caught:
        place.evaluate(fails)
    assert find_user_error(caught.value) is not None
    told = str(find_user_error(caught.value))
    assert told.endswith("; mend what exports it and run again") and "\n" not in told
    assert "signature serving_default: InvalidArgumentError" in told
    assert outcome_of(caught.value) is ExitCode.REFUSED_BY_MODEL_GATE


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (lambda label, place: label * 0.0, "equal scores count against a model"),
        (lambda label, place: label * float("nan"), "a score that is not finite"),
        (lambda label, place: -label, "hit_rate_at_10 0.0000 is below min_hit_rate=0.5"),
    ],
    ids=["constant", "nan", "inverted"],
)
def test_a_model_without_skill_is_refused_with_its_reason(score, reason, place):
    record = place.evaluate(score)
    assert not record["blessed"]
    assert any(reason in line for line in record["reasons"]), record["reasons"]


def test_metrics_equal_what_the_ranks_give_by_hand(place):
    record = place.evaluate(by_place)
    ranks = np.array([labels_of(user).argmax() + 1 for user in range(USERS)])
    gains = np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)
    assert record["metrics"]["hit_rate_at_10"] == pytest.approx(np.mean(ranks <= 10), abs=1e-9)
    assert record["metrics"]["ndcg_at_10"] == pytest.approx(gains.mean(), abs=1e-9)
    assert record["metrics"]["example_count"] == USERS
    assert record["blessed"] and not record["reasons"] and not record["notes"]
    assert record["dataset"] == "mine" and record["data"]["fingerprint"] == "1 file"
    assert record["settings"]["trainer"] == {"train_epochs": 3}
    assert record["bounds"] == {"min_hit_rate": 0.5, "min_ndcg": 0.25, **OFF}
    assert record["metrics"]["full_hit_rate"] == 0
    assert record["metrics"]["full_recall"] == pytest.approx(np.mean(ranks <= 10), abs=1e-9)
    assert record["metrics"]["full_mrr"] == pytest.approx(np.mean(1 / (10 + ranks)), abs=1e-9)
    told = [record["metrics"][name] for name in ("coverage", "popularity", "diversity")]
    assert told == pytest.approx([0.05, 0.1, 0.0], abs=1e-9)
    assert record["identity"] == model_identity(place.model)
    assert record["code"] == {"evaluator": "abc"} and "tfx" in record["versions"]


def test_each_slice_is_in_the_record(place):
    config = eval_config(CONFIG.definition, CONFIG.gate)
    config.slicing_specs.add(feature_keys=["user_id"])
    slices = place.evaluate(by_place, eval_config=proto_utils.proto_to_json(config))["slices"]
    assert slices.keys() == {f"user_id={user}" for user in range(USERS)}
    hits = [slices[f"user_id={user}"]["hit_rate_at_10"] for user in range(USERS)]
    assert hits == [float(labels_of(user).argmax() < 10) for user in range(USERS)]


def test_a_worse_model_than_that_in_use_is_refused_and_a_better_one_blessed(place):
    place.evaluate(by_place)
    place.push(1)
    better = place.evaluate(perfect)
    assert better["blessed"] and better["reference"].startswith("1:")
    assert better["baseline"]["hit_rate_at_10"] < better["metrics"]["hit_rate_at_10"] == 1.0
    place.push(2)
    worse = place.evaluate(by_place)
    assert not worse["blessed"] and worse["reference"] == worse["parent"]
    assert worse["parent"] == model_in_use(place.serving).name
    assert len(worse["reasons"]) == 2
    for reason in worse["reasons"]:
        assert reason.endswith("worse than the 1.0000 of the model in use")
    # Artifacts of TFX's would be looked up by an engine, and the model in use is none.
    assert "baseline_model_id" not in place.blessing.mlmd_artifact.custom_properties
    # As good as it, which is no regression at all.
    assert place.evaluate(lambda label, place: label * 2)["blessed"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"dataset": "theirs"}, "it was made on data set mine, not theirs"),
        ({"split": {**SPLIT, "min_ratings": 5}}, "its split has min_ratings=20, not 5"),
        ({"kind": tf.string}, "it takes or gives user_id of another type or shape"),
    ],
)
def test_a_model_of_other_data_is_no_measure_and_bounds_still_hold(place, changes, why):
    place.evaluate(perfect)
    place.push(1)
    record = place.evaluate(by_place, **changes)
    assert record["blessed"] and record["baseline"] == {}
    (note,) = record["notes"]
    assert note == f"not compared with model 1, which is in use: {why}; only the bounds hold"
    assert not place.evaluate(lambda label, place: -label, **changes)["blessed"]


def test_a_model_that_can_be_asked_in_more_ways_is_a_measure(place):
    place.evaluate(by_place)
    place.push(1)
    record = place.evaluate(perfect, kind=None)
    assert record["blessed"] and record["baseline"] and not record["notes"]


def test_a_model_that_cannot_be_measured_like_this_one_is_no_measure(place):
    place.evaluate(perfect)
    save(place.model, perfect, ranks_all=False)
    place.push(1)
    record = place.evaluate(by_place)
    assert record["blessed"] and record["baseline"] == {}
    assert "it has no signature rank_all, by which models are measured now" in record["notes"][0]


def test_a_bound_on_ranks_among_all_items_is_kept_like_any_other(place):
    record = place.evaluate(perfect, min_full_ndcg=0.1)
    (reason,) = record["reasons"]
    assert reason.startswith("full_ndcg 0.0000 is below min_full_ndcg=0.1")
    place.evaluate(perfect)
    place.push(1)
    # Nothing is bounded that was not asked for, be it worse than before.
    limits = {"min_hit_rate": 0.001, "min_ndcg": 0.001, "max_regression": 0.9}
    gate = to_json(apply_settings(CONFIG, [f"{k}={v}" for k, v in limits.items()]).gate.limits())
    record = place.evaluate(lambda label, place: -place, gate=gate)
    assert record["metrics"]["full_mrr"] < record["baseline"]["full_mrr"] and record["blessed"]


def test_a_model_from_before_examples_were_lists_is_no_measure(place):
    place.evaluate(perfect)
    shutil.rmtree(place.model)
    save(place.model, perfect, lists=False)
    place.push(1)
    record = place.evaluate(by_place)
    assert record["blessed"] and record["baseline"] == {}
    assert "it takes or gives scores of another type or shape; only the" in record["notes"][0]


def test_a_model_of_another_tool_is_no_measure(place):
    place.evaluate(perfect)
    place.push(1, record=False)
    record = place.evaluate(by_place)
    assert record["blessed"] and "has no record of what it was made of" in record["notes"][0]
    assert record["reference"].startswith("1:")


def test_what_is_not_measured_on_the_held_out_items_is_not_blessed(place):
    for score in (perfect, by_place):
        # Whether it keeps the bounds or not.
        split = {**SPLIT, "holdout": "validation"}
        record = place.evaluate(score, split=split, min_hit_rate=0.99)
        assert not record["blessed"] and not record["reasons"]
        assert record["notes"][-1].startswith("holdout=validation: nothing is pushed of it")


def test_short_lists_do_not_count_and_many_of_them_are_warned_of(place):
    lists = [labels_of(user) for user in range(USERS)]
    few = np.eye(1, 10, 0, dtype=np.float32)[0]  # Nine negatives.
    place.write([*lists, few, few])
    record = place.evaluate(by_place)
    ranks = np.array([labels.argmax() + 1 for labels in lists])
    assert record["metrics"]["hit_rate_at_10"] == pytest.approx(np.mean(ranks <= 10), abs=1e-9)
    assert record["metrics"]["short_lists"] == 2
    assert record["notes"][0].startswith("2 of 42 users do not count: ")
    place.write([*lists, few, few, few])
    (note,) = place.evaluate(by_place)["notes"]
    assert note.startswith("warning: 3 of 43 users")


def test_without_a_list_that_counts_the_verdict_names_that_cause(place):
    place.write([np.eye(1, 8, 0, dtype=np.float32)[0]] * 3)
    record = place.evaluate(perfect)
    assert not record["blessed"] and record["metrics"]["hit_rate_at_10"] is None
    for reason in record["reasons"]:
        assert "not a number: every user's list is too short to be ranked" in reason


def test_a_bound_of_this_run_takes_the_place_of_the_setting_and_is_checked_like_one(place):
    record = place.evaluate(by_place, min_hit_rate=0.9)
    assert not record["blessed"] and record["bounds"]["min_hit_rate"] == 0.9
    assert "is below min_hit_rate=0.9" in record["reasons"][0]
    compiled = {"min_hit_rate": 0.5, "min_ndcg": 0.25, "max_regression": 0.01, **OFF}
    assert record["settings"]["gate"] == compiled
    with pytest.raises(UserError, match=r"^min_hit_rate=0: must be above 0 and below 1$"):
        place.evaluate(by_place, min_hit_rate=0)


@pytest.mark.parametrize("pipeline", ["movielens", "census"])
def test_every_pipelines_bounds_can_be_a_runs(pipeline):
    limits = preset(pipeline, "sample").gate.limits()
    for bound in limits.bounds:
        properties = {"code": '{"evaluator": ""}', "gate": to_json(limits)}
        with pytest.raises(UserError, match=f"^{bound.setting}=0.0: must be above"):
            EvaluatorExecutor().Do({}, {}, {**properties, bound.setting: 0.0})


def test_what_only_the_evaluator_refuses_is_not_refused_without_a_word(place, monkeypatch):
    monkeypatch.setattr("components.evaluator.executor.judge", lambda *arguments: [])
    record = place.evaluate(lambda label, place: -label)
    assert not record["blessed"]
    assert record["reasons"] == ["the Evaluator did not bless the model; see its evaluation"]


def test_other_code_than_was_compiled_is_refused_first():
    code = json.dumps({"evaluator": "0@components.evaluator.executor"})
    with pytest.raises(
        UserError, match=r"^components\.evaluator\.executor: the code in this image"
    ):
        EvaluatorExecutor().Do({}, {}, {"code": code})
