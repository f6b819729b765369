"""A pipeline that another package brings, here as files on the path: nothing of ours is touched."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from pipeline.datasets.census import CENSUS
from pipeline.datasets.locate import locate
from tests.kubeflow.container import container_environment, run_container
from tests.kubeflow.kfp_player import KfpPlayer

MODULE, NAME = "two_layers", "two-layers"
ENTRY_POINTS = f"[tfx_recommenders.pipelines]\n{NAME} = {MODULE}:PIPELINE\n"


class Machine:
    """The project and another package, both installed, and a folder to work in."""

    def __init__(self, packages, folder):
        site = folder / "site"
        described = site / f"{MODULE}-1.0.dist-info"
        described.mkdir(parents=True)
        shutil.copy(pathlib.Path(__file__).with_name(f"{MODULE}.py"), site)
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
        (described / "entry_points.txt").write_text(ENTRY_POINTS)
        self.packages, self.folder = packages, folder
        installed = os.pathsep.join([str(site), packages])
        self.environment = container_environment(packages, str(folder)) | {"PYTHONPATH": installed}

    def run(self, *command, **variables):
        """Returns what a command of this Python said, which has to end well."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=self.environment | variables,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def pushed(self, home):
        return [version.name for version in (self.folder / home / "serving").iterdir()]


@pytest.fixture(scope="module")
def machine(packages, tmp_path_factory):
    return Machine(packages, tmp_path_factory.mktemp(NAME))


@pytest.mark.slow
def test_it_runs_from_the_command_line_to_a_pushed_model_a_report_and_a_list(machine):
    said = machine.run("-m", "pipeline", "run", NAME, "--set", "width=8")
    assert "auc" in said and "blessed and pushed" in said
    (version,) = machine.pushed(f"output/{NAME}")
    report = (machine.folder / "output" / NAME / "report.html").read_text(encoding="utf-8")
    assert "Blessed and pushed" in report and "AUC by slice" in report
    listed = machine.run("-m", "pipeline", "list")
    assert listed.startswith(f"{NAME}\n") and version in listed and "auc 0." in listed
    shown = machine.run("-m", "pipeline", "settings", NAME)
    assert "width=16\n    Units of the hidden layer.\n    Must be at least 1." in shown


@pytest.mark.slow
def test_it_runs_on_kubeflow_as_it_is_compiled_to_a_pushed_model(machine):
    results = str(machine.folder / "results")
    runner = os.path.join(machine.packages, "kubeflow", "kubeflow_runner.py")
    machine.run(
        runner,
        PIPELINE=NAME,
        DATA_ROOT=locate(CENSUS, "sample", results, results, allow_download=False),
        PIPELINE_ROOT="minio://mlpipeline/v2/artifacts",
        PIPELINE_VOLUME=f"claim:{results}",
        PIPELINE_IMAGE="registry.example/two-layers:1",
        TRAINER_GPUS="0",
    )

    def run_pod(name, command, mounts):
        return run_container(name, command, machine.environment, mounts)

    player = KfpPlayer(run_pod, str(machine.folder))
    run = player.run((machine.folder / f"{NAME}.yaml").read_bytes(), {"train_epochs": 2})
    assert not run.failed, run.failed.said[-3000:]
    assert len(machine.pushed(f"results/{NAME}")) == 1


def test_one_that_cannot_be_loaded_is_named(machine, tmp_path):
    broken = tmp_path / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text(
        ENTRY_POINTS.replace(NAME, "broken").replace(MODULE, "broken")
    )
    path = os.pathsep.join([str(tmp_path), machine.environment["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "settings", "ncf"],
        cwd=machine.folder,
        env=machine.environment | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: pipeline broken: broken:PIPELINE cannot be loaded (Mod")
