import os

import pytest

from pipeline.run.deployment import from_environment
from transforms.base.errors import UserError


def test_a_folder_of_data_gives_the_data_set_its_name(tmp_path):
    data, root = tmp_path / "ml-1m", tmp_path / "output"
    config, deployment = from_environment(
        {"DATA_ROOT": f"{data}/", "PIPELINE_ROOT": str(root), "PIPELINE": "movielens"}
    )
    assert (config.pipeline, config.preset) == ("movielens", "best")
    assert (deployment.dataset, deployment.input_base) == ("ml-1m", str(data))
    home = root / "movielens"
    assert os.listdir(root) == ["movielens"]
    assert deployment.serving_dir == str(home / "serving")
    kept = {
        deployment.pipeline_root,
        deployment.serving_dir,
        deployment.accepted_root,
        deployment.checkpoint_root,
        deployment.metadata_file,
    }
    assert len(kept) == 5 and {os.path.dirname(path) for path in kept} == {str(home)}


def test_without_data_the_sample_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, deployment = from_environment({"PIPELINE": "movielens"})
    assert config.preset == "sample"
    folder = tmp_path / "output" / "data" / deployment.dataset
    assert deployment.input_base == str(folder)
    assert {"ratings.dat", "movies.dat"} <= set(os.listdir(folder))


def test_data_may_lie_in_object_storage(tmp_path):
    _, deployment = from_environment(
        {"DATA_ROOT": "gs://bucket/ml-1m", "PIPELINE_ROOT": str(tmp_path)}
    )
    assert (deployment.dataset, deployment.input_base) == ("ml-1m", "gs://bucket/ml-1m")


def test_what_a_run_keeps_may_not(tmp_path):
    with pytest.raises(UserError, match=r"^PIPELINE_ROOT='gs://b/p': must be a folder on this"):
        from_environment({"DATA_ROOT": str(tmp_path), "PIPELINE_ROOT": "gs://b/p"})
