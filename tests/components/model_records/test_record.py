import pytest

from components.model_records.record import (
    compared_with,
    installed_versions,
    why_not_comparable,
)

SPLIT = {"holdout": "test", "seed": 0}
RECORD = {"dataset": "ml-1m", "split": SPLIT}


def test_the_same_data_set_and_split_can_be_compared():
    assert why_not_comparable(RECORD, {**RECORD, "settings": "others"}) == ""


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"dataset": "ml-20m"}, "it was made on data set ml-20m, not ml-1m"),
        ({"split": {**SPLIT, "seed": 1}}, "its split has seed=1, not 0"),
        ({"split": {"holdout": "validation"}}, "its split has holdout=validation, not test; seed"),
        ({"split": {**SPLIT, "more": 1}}, "its split has more=1, not None"),
    ],
)
def test_another_data_set_or_split_cannot(other, why):
    assert why_not_comparable(RECORD, {**RECORD, **other}).startswith(why)


def test_a_record_without_a_split_cannot_be_compared_with():
    why = why_not_comparable(RECORD, {"dataset": "ml-1m"})
    assert why == "its split has holdout=None, not test; seed=None, not 0"


def test_what_a_model_was_compared_with_is_its_parent_only_if_it_was_measured():
    parent = {"parent": "7:abc"}
    assert compared_with({**parent, "baseline": {"rmse": 0.9}}) == "7"
    assert compared_with({**parent, "baseline": {}}) == ""


def test_a_record_tells_the_versions_that_a_model_depends_on():
    versions = installed_versions()
    packages = {"tfx", "tensorflow", "tensorflow-model-analysis", "apache-beam"}
    assert versions.keys() == {"python", *packages}
    assert all(version[0].isdigit() for version in versions.values())
