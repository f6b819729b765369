"""What the runner files compile is run here, container command by container command."""

import glob
import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.kubeflow.container import StepFailedError
from tests.kubeflow.foreign_folder import PIPELINES, QUICK
from tests.kubeflow.player import Player, read_job

LOW = {"min_hit_rate": 0.05, "min_ndcg": 0.02}


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


def _run_file(folder, name, **variables):
    """Runs a runner file of the installed package."""
    command = [sys.executable, folder.runner(name)]
    environment = {**folder.environment, **variables}
    done = subprocess.run(command, cwd=folder.path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def _compile(folder, engine):
    """Returns the job that an engine is given."""
    _run_file(folder, f"kubeflow/{engine}_runner.py")
    package = f"{folder.pipeline}.yaml" if engine == "kubeflow" else "pipeline.json"
    with open(os.path.join(folder.path, package), "rb") as file:
        return read_job(file.read()) if engine == "kubeflow" else json.load(file)


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["movielens", "census"])
def test_the_vertex_job_pushes_a_model(foreign_folder, pipeline):
    folder = foreign_folder(pipeline)
    Player(folder.environment_of_image).run(_compile(folder, "vertex"), QUICK[pipeline])
    assert len(folder.pushed()) == 1


def _verdicts_of_beam(folder, epochs):
    for count in epochs:
        settings = " ".join(f"{k}={v}" for k, v in {**LOW, "train_epochs": count}.items())
        _run_file(folder, "pipeline/beam_runner.py", SETTINGS=f"preset=sample {settings}")
        found = glob.glob(f"{folder.root}/ncf/artifacts/Evaluator/blessing/*/record.json")
        yield max(found, key=os.path.getmtime)


def _verdicts_of_player(folder, engine, epochs):
    player, job = Player(folder.environment_of_image), _compile(folder, engine)
    for count in epochs:
        outputs = player.run(job, {**LOW, "train_epochs": count})
        (blessing,) = outputs["Evaluator"]["blessing"]
        yield os.path.join(blessing["uri"], "record.json")


@pytest.mark.slow
def test_every_engine_comes_to_the_same_three_verdicts(foreign_folder):
    epochs = (4, 12, 1)  # The first, a better one, a worse one.
    verdicts = {}
    for engine in ("beam", "kubeflow", "vertex"):
        folder = foreign_folder("ncf")
        files = (
            _verdicts_of_beam(folder, epochs)
            if engine == "beam"
            else _verdicts_of_player(folder, engine, epochs)
        )
        verdicts[engine] = []
        for path in files:
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
            told = {name: record[name] for name in ("dataset", "blessed", "reasons", "notes")}
            verdicts[engine].append({**told, "compared": bool(record["parent"])})
        assert len(folder.pushed()) == 2
        shutil.rmtree(folder.root)
    assert [each["blessed"] for each in verdicts["beam"]] == [True, True, False]
    assert [each["compared"] for each in verdicts["beam"]] == [False, True, True]
    assert "of the model in use" in verdicts["beam"][2]["reasons"][0]
    assert verdicts["kubeflow"] == verdicts["beam"] == verdicts["vertex"]


@pytest.mark.slow
def test_a_bound_out_of_range_fails_the_step_in_the_words_of_the_setting(foreign_folder):
    folder = foreign_folder("ncf")
    player, job = Player(folder.environment_of_image), _compile(folder, "kubeflow")
    message = "min_hit_rate=0.0: must be above 0 and below 1"
    with pytest.raises(StepFailedError, match=f"Evaluator ended .*\n(.*\n)*.*{message}"):
        player.run(job, {"train_epochs": 1, "min_hit_rate": 0.0})
    assert not folder.pushed()
