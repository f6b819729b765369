import functools

import pytest

from tests.kubeflow.foreign_folder import QUICK, ForeignFolder, Upload
from tests.kubeflow.kfp_server import kfp_server
from tests.kubeflow.tfx_command import Command, run_in_one_process


@pytest.fixture(scope="session")
def foreign_folder(packages, tmp_path_factory):
    """Returns a function that makes a ForeignFolder for a pipeline."""
    return lambda pipeline: ForeignFolder(
        pipeline, str(tmp_path_factory.mktemp(pipeline)), packages
    )


@pytest.fixture(scope="session")
def upload(foreign_folder):
    """Returns a function that creates, updates and runs a pipeline on Kubeflow, once for each."""

    @functools.cache
    def bring(pipeline):
        folder = foreign_folder(pipeline)
        path = ("--pipeline_path", folder.runner("kubeflow/kubeflow_runner.py"))
        name = ("--pipeline_name", pipeline)
        parameters = [
            f"--runtime_parameter={key}={value}" for key, value in QUICK[pipeline].items()
        ]
        commands = {
            "pipeline create": path,
            "pipeline update": path,
            "pipeline list": (),
            "pipeline compile": path,
            "run create": (*name, *parameters),
            "run list": name,
            "run status": (*name, "--run_id", "runs-1"),
            "run terminate": ("--run_id", "runs-1"),
            "run delete": ("--run_id", "runs-1"),
            "pipeline delete": name,
        }
        with kfp_server() as server:
            engine = ["--engine", "kubeflow"]
            endpoint = ["--endpoint", server.url]
            answers = run_in_one_process(
                [
                    Command(
                        [*words.split(), *engine, *more, *(() if "compile" in words else endpoint)],
                        folder.for_kubeflow,
                    )
                    for words, more in commands.items()
                ],
                folder.path,
            )
        return Upload(folder, server, dict(zip(commands, answers, strict=True)))

    return bring
