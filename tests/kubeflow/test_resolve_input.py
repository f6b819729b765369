import json
import os

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorOutput

from kubeflow import resolve_input


def resolve(folder, pattern="ratings.*"):
    output = folder / "pod" / "output_metadata.json"
    config = json.dumps({"splits": [{"name": "input", "pattern": pattern}]})
    given = {
        "inputs": {"parameterValues": {"input_base": str(folder), "input_config": config}},
        "outputs": {"outputFile": str(output)},
    }
    assert resolve_input.main([json.dumps(given)]) == 0
    json_format.Parse(output.read_text(), ExecutorOutput())
    resolved = json.loads(output.read_text())["parameterValues"]["resolved_input"]
    (split,) = json.loads(resolved["input_config"])["splits"]
    return {**resolved, "input_config": split["pattern"]}


def test_a_change_of_the_files_changes_the_fingerprint(tmp_path):
    (tmp_path / "ratings.dat").write_text("1::1::5::1\n2::1::5::1\n")
    first = resolve(tmp_path)
    assert first["input_config"] == "ratings.*" and first["span"] == 0 and "version" not in first
    assert resolve(tmp_path) == first
    (tmp_path / "ratings.dat").write_text("1::1::5::1\n2::1::4::1\n")
    assert resolve(tmp_path)["input_fingerprint"] != first["input_fingerprint"]


def test_the_latest_span_and_version_are_found(tmp_path):
    for name in ("2/v1", "2/v3", "10/v2"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "ratings.dat").write_text(name)
    resolved = resolve(tmp_path, "{SPAN}/v{VERSION}/ratings.*")
    assert (resolved["span"], resolved["version"]) == (10, 2)
    assert resolved["input_config"] == "10/v2/ratings.*"


def test_a_span_that_is_not_there_is_told_and_ends_the_step(tmp_path, capsys):
    pattern = "{SPAN}/ratings.*"
    config = json.dumps({"splits": [{"name": "input", "pattern": pattern}]})
    given = {
        "inputs": {"parameterValues": {"input_base": str(tmp_path), "input_config": config}},
        "outputs": {"outputFile": str(tmp_path / "output_metadata.json")},
    }
    assert resolve_input.main([json.dumps(given)]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {tmp_path}/{pattern}: ")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("base", ["s3://bucket/data", "minio://bucket/data", "data"])
def test_a_folder_that_no_step_can_read_is_told_and_ends_the_step(base, tmp_path, capsys):
    config = json.dumps({"splits": [{"name": "input", "pattern": "ratings.*"}]})
    given = {
        "inputs": {"parameterValues": {"input_base": base, "input_config": config}},
        "outputs": {"outputFile": str(tmp_path / "output_metadata.json")},
    }
    assert resolve_input.main([json.dumps(given)]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"error: data_root={base!r}: must be gs://bucket/folder or a folder of ")
