"""What the runner files compile is run here, container command by container command."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from pipeline.cli.main import main
from tests.kubeflow.container import run_container
from tests.kubeflow.foreign_folder import BUCKET, PIPELINES, QUICK
from tests.kubeflow.kfp_player import KfpPlayer
from tests.kubeflow.kfp_server import kfp_server
from tests.kubeflow.vertex_player import VertexPlayer

LOW = {"min_hit_rate": 0.05, "min_ndcg": 0.02}


def _player(folder):
    """Returns an installation whose pods are processes of this machine."""

    def run_pod(name, command, mounts):
        return run_container(name, command, folder.environment_of_image, mounts)

    return KfpPlayer(run_pod, folder.path)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_spec_that_kubeflow_got_pushes_a_model(upload, pipeline):
    result = upload(pipeline)
    (request,) = result.server.started
    player = _player(result.folder)
    run = player.run(result.server.packages["versions-2"], request["runtime_config"]["parameters"])
    assert not run.failed, run.failed.said[-3000:]
    (version,) = result.folder.pushed()
    record = f"{result.folder.root}/{pipeline}/serving/{version}/record.json"
    with open(record, encoding="utf-8") as file:
        assert json.load(file)["data"]["examples"].startswith("minio://mlpipeline/v2/artifacts/")
    model_run = player.stored(run.outputs["Trainer"].artifacts["model_run"])
    with open(os.path.join(model_run, "training.json"), encoding="utf-8") as file:
        assert len(json.load(file)["epochs"]) == QUICK[pipeline]["train_epochs"]


def _run_file(folder, name, **variables):
    """Runs a runner file of the installed package."""
    command = [sys.executable, folder.runner(name)]
    environment = {**folder.environment, **variables}
    done = subprocess.run(command, cwd=folder.path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def _package(folder):
    """Returns what Kubeflow Pipelines is given."""
    _run_file(folder, "kubeflow/kubeflow_runner.py", **folder.for_kubeflow)
    with open(os.path.join(folder.path, f"{folder.pipeline}.yaml"), "rb") as file:
        return file.read()


def _job(folder):
    """Returns what Vertex is given, with the working folder as the bucket."""
    _run_file(folder, "kubeflow/vertex_runner.py", **folder.for_vertex)
    with open(os.path.join(folder.path, "pipeline.json"), encoding="utf-8") as file:
        return json.loads(file.read().replace(BUCKET, folder.path))


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["movielens", "census"])
def test_the_vertex_job_pushes_a_model(foreign_folder, pipeline):
    folder = foreign_folder(pipeline)
    VertexPlayer(folder.environment_of_image).run(_job(folder), QUICK[pipeline])
    assert len(folder.pushed()) == 1


def _verdicts_of_beam(folder, epochs):
    for count in epochs:
        settings = " ".join(f"{k}={v}" for k, v in {**LOW, "train_epochs": count}.items())
        _run_file(folder, "pipeline/beam_runner.py", SETTINGS=f"preset=sample {settings}")
        found = glob.glob(f"{folder.root}/ncf/artifacts/Evaluator/blessing/*/record.json")
        yield max(found, key=os.path.getmtime)


def _verdicts_of_vertex(folder, epochs):
    player, job = VertexPlayer(folder.environment_of_image), _job(folder)
    for count in epochs:
        (blessing,) = player.run(job, {**LOW, "train_epochs": count})["Evaluator"]["blessing"]
        yield os.path.join(blessing["uri"], "record.json")


def _verdicts_of_kubeflow(folder, epochs):
    player, package = _player(folder), _package(folder)
    for count in epochs:
        run = player.run(package, {**LOW, "train_epochs": count})
        blessing = player.stored(run.outputs["Evaluator"].artifacts["blessing"])
        path = os.path.join(blessing, "record.json")
        refused = not os.path.exists(os.path.join(blessing, "BLESSED"))
        assert (run.failed and run.failed.name) == ("Pusher" if refused else None)
        yield path


@pytest.mark.slow
def test_every_engine_comes_to_the_same_three_verdicts(foreign_folder):
    epochs = (4, 12, 1)  # The first, a better one, a worse one.
    verdicts = {}
    for engine, verdicts_of in (
        ("beam", _verdicts_of_beam),
        ("kubeflow", _verdicts_of_kubeflow),
        ("vertex", _verdicts_of_vertex),
    ):
        folder = foreign_folder("ncf")
        verdicts[engine] = []
        for path in verdicts_of(folder, epochs):
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
            told = {name: record[name] for name in ("dataset", "blessed", "reasons", "notes")}
            verdicts[engine].append({**told, "compared": bool(record["parent"])})
        assert len(folder.pushed()) == 2
        shutil.rmtree(folder.path)
    assert [each["blessed"] for each in verdicts["beam"]] == [True, True, False]
    assert [each["compared"] for each in verdicts["beam"]] == [False, True, True]
    assert "of the model in use" in verdicts["beam"][2]["reasons"][0]
    assert verdicts["kubeflow"] == verdicts["beam"] == verdicts["vertex"]


def _last_line(run):
    return run.failed.said.splitlines()[-1]


@pytest.mark.slow
def test_what_is_cached_follows_from_the_raw_files(foreign_folder):
    folder = foreign_folder("ncf")
    player, package = _player(folder), _package(folder)
    first = player.run(package, QUICK["ncf"])
    assert not first.failed and not first.cached
    again = player.run(package, QUICK["ncf"])
    # What looks at files, at accepted data or at the served model cannot be cached.
    assert list(again.ended) == ["ResolveInput", "DataGate", "Evaluator", "Pusher"]
    assert not again.failed and len(folder.pushed()) == 1

    (ratings,) = glob.glob(f"{folder.environment['DATA_ROOT']}/ratings.*")
    with open(ratings, encoding="utf-8") as file:
        lines = file.readlines()
    with open(ratings, "w", encoding="utf-8") as file:
        file.writelines(lines[:-1])
    shorter = player.run(package, QUICK["ncf"])
    assert not shorter.failed
    assert shorter.ended.keys() > {"MovieLensExampleGen", "Transform", "Trainer", "Evaluator"}
    examples = [
        run.outputs["MovieLensExampleGen"].artifacts["examples"] for run in (first, shorter)
    ]
    assert [each["metadata"]["span"] for each in examples] == [0, 0]
    fingerprints = {each["metadata"]["input_fingerprint"] for each in examples}
    assert len(fingerprints) == 2 and all(each.startswith("files:") for each in fingerprints)

    with open(ratings, "a", encoding="utf-8") as file:
        file.write("a row that is none\n")
    bad = player.run(package, QUICK["ncf"])
    assert (bad.failed.name, bad.failed.code) == ("MovieLensExampleGen", 2)
    place = f"{os.path.basename(ratings)}:{len(lines)}: "
    assert _last_line(bad).startswith("error: ") and place in _last_line(bad)


@pytest.mark.slow
def test_refused_data_end_the_run_before_anything_is_trained(foreign_folder):
    folder = foreign_folder("movielens")
    player, package = _player(folder), _package(folder)
    assert not player.run(package, QUICK["movielens"]).failed
    (ratings,) = glob.glob(f"{folder.environment['DATA_ROOT']}/ratings.*")
    with open(ratings, encoding="utf-8") as file:
        rows = [line.split("::") for line in file]
    with open(ratings, "w", encoding="utf-8") as file:
        file.writelines("::".join([*row[:2], "1", *row[3:]]) for row in rows)
    run = player.run(package, QUICK["movielens"])
    assert (run.failed.name, run.failed.code) == ("DataGate", 4)
    assert _last_line(run).startswith("error: the data differ too much from those accepted before")
    assert "rating" in _last_line(run) and "Trainer" not in run.ended
    accepted = player.run(package, {**QUICK["movielens"], "accept_drift": 1, "max_rmse": 5.0})
    assert "Trainer" in accepted.ended


@pytest.mark.slow
def test_a_refusal_fails_the_run_with_the_reason_and_its_exit_code(foreign_folder):
    folder = foreign_folder("ncf")
    player, package = _player(folder), _package(folder)
    run = player.run(package, {"train_epochs": 1, "min_hit_rate": 0.99})
    assert (run.failed.name, run.failed.code) == ("Pusher", 3)
    reason = r"refused: hit_rate_at_10 0\.\d+ is below min_hit_rate=0\.99; .*nothing was pushed"
    assert re.fullmatch(reason, _last_line(run))
    assert not folder.pushed()


@pytest.mark.slow
def test_submit_waits_for_the_verdict_and_ends_as_the_run_does(foreign_folder, monkeypatch, capsys):
    folder = foreign_folder("ncf")
    for name, value in folder.for_kubeflow.items():
        if name not in folder.environment_of_image:
            monkeypatch.setenv(name, value)
    player = _player(folder)
    with kfp_server() as server:
        server.play = player.run
        ends = {}
        for bound in ("0.05", "0.99"):
            parameters = {"train_epochs": "2", "min_hit_rate": bound, "min_ndcg": "0.02"}
            given = [f"--parameter={name}={value}" for name, value in parameters.items()]
            command = ["submit", "ncf", "--engine", "kubeflow", "--endpoint", server.url, "--wait"]
            code = main([*command, *given])
            ends[bound] = (code, capsys.readouterr().out.splitlines())
    code, lines = ends["0.05"]
    assert code == 0 and lines[0] == f"ncf: {server.url}/#/runs/details/runs-1"
    assert re.fullmatch(r"  hit_rate_at_10   0\.\d+  >= 0\.05 \(min_hit_rate\)  kept", lines[-2])
    assert len(lines) == 13 and len(folder.pushed()) == 1
    code, lines = ends["0.99"]
    assert code == 3 and lines[-1].startswith("refused: hit_rate_at_10 0.")


@pytest.mark.slow
def test_a_bound_out_of_range_fails_the_step_in_the_words_of_the_setting(foreign_folder):
    folder = foreign_folder("ncf")
    player, package = _player(folder), _package(folder)
    run = player.run(package, {"train_epochs": 1, "min_hit_rate": 0.0})
    assert (run.failed.name, run.failed.code) == ("Evaluator", 2)
    assert _last_line(run) == "error: min_hit_rate=0.0: must be above 0 and below 1"
    assert not folder.pushed()
