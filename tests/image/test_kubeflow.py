"""Kubeflow with the image itself: each step of the pipelines, and the tfx command."""

import os
import shutil
import subprocess
import sys

import pytest

from pipeline.datasets.locate import locate
from pipeline.pipelines.registry import definition
from tests.image.conftest import ROOT
from tests.kubeflow.container import Ended
from tests.kubeflow.foreign_folder import QUICK
from tests.kubeflow.kfp_player import KfpPlayer
from tests.kubeflow.kfp_server import kfp_server

pytestmark = pytest.mark.slow
# A user that the image does not know, as a cluster may choose one.
USER = 1000
SHARED = "/mnt/shared"
VARIABLES = {
    "SETTINGS": "preset=sample",
    "PIPELINE_IMAGE": "registry.example/tfx-recommenders:1",
    "PIPELINE_ROOT": "minio://mlpipeline/v2/artifacts",
    "PIPELINE_VOLUME": f"shared-claim:{SHARED}",
    "TRAINER_GPUS": "0",
}


def give(folder):
    """Makes the user the owner of a folder and of all that is in it."""
    for path, _, files in os.walk(folder):
        for name in ("", *files):
            os.chown(os.path.join(path, name), USER, USER)


@pytest.mark.parametrize("pipeline", QUICK)
def test_a_pipeline_runs_as_a_user_who_may_write_to_the_given_folders_alone(
    image, pipeline, tmp_path
):
    shared = tmp_path / "shared"
    data = locate(
        definition(pipeline).load_catalog(),
        "sample",
        str(shared),
        str(shared),
        allow_download=False,
    )
    give(shared)
    variables = {
        **VARIABLES,
        "PIPELINE": pipeline,
        "DATA_ROOT": os.path.join(SHARED, os.path.relpath(data, shared)),
    }
    runner = [sys.executable, os.path.join(ROOT, "kubeflow", "kubeflow_runner.py")]
    subprocess.run(runner, cwd=tmp_path, env={**os.environ, **variables}, check=True)
    package = (tmp_path / f"{pipeline}.yaml").read_bytes()

    def run_pod(name, command, mounts):
        give(mounts)
        folders = {SHARED: str(shared), "/minio": os.path.join(mounts, "minio")}
        done = image.run_pod(USER, folders, command)
        return Ended(name, done.returncode, done.stdout + done.stderr)

    run = KfpPlayer(run_pod, str(tmp_path), root="/").run(package, QUICK[pipeline])
    assert not run.failed, run.failed.said[-3000:]
    (version,) = os.listdir(shared / pipeline / "serving")
    model = shared / pipeline / "serving" / version
    assert {"saved_model.pb", "record.json"} <= set(os.listdir(model))
    shutil.rmtree(tmp_path)


def test_the_tfx_command_brings_a_pipeline_to_kubeflow(image):
    (package,) = image.run("python", "-c", "import kubeflow; print(*kubeflow.__path__)").split()
    path = ("--pipeline_path", os.path.join(package, "kubeflow_runner.py"))
    name = ("--pipeline_name", "census")
    variables = {**VARIABLES, "PIPELINE": "census", "DATA_ROOT": f"{SHARED}/adult"}
    with kfp_server() as server:
        for words, more in (
            ("pipeline create", path),
            ("pipeline update", path),
            ("pipeline list", ()),
            ("run create", (*name, "--runtime_parameter=train_epochs=3")),
            ("run list", name),
            ("run status", (*name, "--run_id", "runs-1")),
            ("run terminate", ("--run_id", "runs-1")),
            ("run delete", ("--run_id", "runs-1")),
            ("pipeline delete", name),
        ):
            command = ["tfx", *words.split(), "--engine=kubeflow", "--endpoint", server.url, *more]
            settings = [f"{key}={value}" for key, value in variables.items()]
            done = image.run_pod(USER, {}, ["env", "--chdir=/tmp", *settings, *command])
            assert done.returncode == 0, done.stdout + done.stderr
    assert len(server.packages) == 2 and len(server.started) == 1 and not server.unknown
    assert not (server.pipelines or server.runs or server.experiments)
