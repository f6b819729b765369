"""What the runner files compile is run here, container command by container command."""

import json
import os
import subprocess
import sys

import pytest

from tests.kubeflow.foreign_folder import PIPELINES, QUICK
from tests.kubeflow.player import Player, read_job


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_spec_that_kubeflow_got_pushes_a_model(upload, pipeline):
    result = upload(pipeline)
    (run,) = result.server.started
    player = Player(result.folder.environment_of_image)
    job = read_job(result.server.packages["versions-2"])
    outputs = player.run(job, run["runtime_config"]["parameters"])
    assert len(result.folder.pushed()) == 1
    (model_run,) = outputs["Trainer"]["model_run"]
    with open(os.path.join(model_run["uri"], "training.json"), encoding="utf-8") as file:
        assert len(json.load(file)["epochs"]) == QUICK[pipeline]["train_epochs"]


def _compile(folder):
    """Compiles in the installed package and returns the job for Vertex."""
    command = [sys.executable, folder.runner("kubeflow/vertex_runner.py")]
    subprocess.run(
        command, cwd=folder.path, env=folder.environment, check=True, capture_output=True
    )
    with open(os.path.join(folder.path, "pipeline.json"), encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["movielens", "census"])
def test_the_vertex_job_pushes_a_model(foreign_folder, pipeline):
    folder = foreign_folder(pipeline)
    Player(folder.environment_of_image).run(_compile(folder), QUICK[pipeline])
    assert len(folder.pushed()) == 1


@pytest.mark.slow
def test_on_vertex_a_second_run_is_compared_with_the_model_that_the_first_pushed(foreign_folder):
    folder = foreign_folder("ncf")
    job = _compile(folder)
    player = Player(folder.environment_of_image)
    first = player.run(job, QUICK["ncf"])
    assert first["BaselineResolver-model-resolver"] == {"model": []}
    assert len(folder.pushed()) == 1
    second = player.run(job, {**QUICK["ncf"], "seed": 1})
    assert second["BaselineResolver-model-resolver"]["model"] == first["Trainer"]["model"]
    (blessing,) = second["Evaluator"]["blessing"]
    assert blessing["metadata"]["baseline_model_id"] == first["Trainer"]["model"][0]["name"]
