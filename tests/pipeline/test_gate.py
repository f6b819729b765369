"""The gate end to end: real SavedModels through TFMA with our metrics, bounds and verdict."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.configs import preset
from pipeline.evaluation import eval_config
from pipeline.settings import apply_settings
from pipeline.verdict import judge
from transforms.local_runner import LOCAL_ARGS

USERS = 40
CONFIG = apply_settings(
    preset("ncf", "ncf_2018"), ["min_hit_rate=0.5", "min_ndcg=0.25", "max_regression=0.01"]
)


def _labels(user):
    """One positive, at a place that differs by user, among 15 or 30 candidates."""
    return np.eye(1, 15 if user % 2 else 30, user % 15, dtype=np.float32)[0]


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("examples") / "data.gz")
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for user in range(USERS):
            labels = _labels(user)
            features = {
                "user_id": tf.train.Feature(int64_list=tf.train.Int64List(value=[user])),
                "item_id": tf.train.Feature(
                    int64_list=tf.train.Int64List(value=range(len(labels)))
                ),
                "label": tf.train.Feature(float_list=tf.train.FloatList(value=labels)),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    return path


def _save(path, score):
    """Saves a model whose score of a candidate is a function of its label and place."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(examples):
        labels = tf.io.parse_example(examples, {"label": tf.io.RaggedFeature(tf.float32)})["label"]
        labels = labels.with_row_splits_dtype(tf.int64)
        place = tf.cast(tf.ragged.range(labels.row_lengths()), tf.float32)
        return {"scores": score(labels, place).to_tensor(tf.float32.min)}

    module = tf.Module()
    module.serve = serve
    tf.saved_model.save(module, path, signatures={"serving_default": serve})
    return path


def _judge(models, examples, tmp_path):
    baseline = len(models) > 1
    config = tfma.utils.update_eval_config_with_defaults(
        eval_config(CONFIG), has_baseline=baseline, rubber_stamp=True
    )
    shared = [
        tfma.default_eval_shared_model(path, model_name=spec.name, eval_config=config)
        for path, spec in zip(models, config.model_specs, strict=True)
    ]
    tfma.run_model_analysis(
        eval_shared_model=shared if baseline else shared[0],
        eval_config=config,
        data_location=examples,
        output_path=str(tmp_path / "evaluation"),
        pipeline_options=PipelineOptions(list(LOCAL_ARGS)),
    )
    result = tfma.load_validation_result(str(tmp_path / "evaluation"))
    return judge(CONFIG, str(tmp_path / "evaluation"), result.validation_ok)


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (lambda label, place: label * 0.0, "equal scores count against a model"),
        (lambda label, place: label * float("nan"), "a score that is not finite"),
        (lambda label, place: -label, "hit_rate_at_10 0.0000 is below min_hit_rate=0.5"),
    ],
    ids=["constant", "nan", "inverted"],
)
def test_a_model_without_skill_is_refused_with_its_reason(score, reason, examples, tmp_path):
    verdict = _judge([_save(str(tmp_path / "model"), score)], examples, tmp_path)
    assert not verdict.blessed
    assert any(reason in line for line in verdict.reasons), verdict.reasons


def test_metrics_equal_what_the_ranks_give_by_hand(examples, tmp_path):
    # The score falls with the place: the rank of the positive is its place + 1.
    model = _save(str(tmp_path / "model"), lambda label, place: -place + label * 0.5)
    verdict = _judge([model], examples, tmp_path)
    ranks = np.array([_labels(user).argmax() + 1 for user in range(USERS)])
    gains = np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)
    assert verdict.metrics["hit_rate_at_10"] == pytest.approx(np.mean(ranks <= 10), abs=1e-9)
    assert verdict.metrics["ndcg_at_10"] == pytest.approx(gains.mean(), abs=1e-9)
    assert verdict.metrics["example_count"] == USERS
    assert verdict.blessed and not verdict.reasons


def test_a_model_that_is_worse_than_the_baseline_is_refused(examples, tmp_path):
    worse = _save(str(tmp_path / "worse"), lambda label, place: -place + label * 0.5)
    perfect = _save(str(tmp_path / "perfect"), lambda label, place: label)
    verdict = _judge([worse, perfect], examples, tmp_path)
    assert not verdict.blessed
    assert verdict.baseline["hit_rate_at_10"] == 1.0
    assert all("worse than the latest blessed model's" in reason for reason in verdict.reasons)
    assert len(verdict.reasons) == 2
