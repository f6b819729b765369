"""What the runner files compile is run here, container command by container command."""

import json
import os
import subprocess
import sys

import ml_metadata
import pytest
import yaml
from ml_metadata.proto import metadata_store_pb2

from tests.kubeflow.argo import ArgoRun, read_workflow
from tests.kubeflow.foreign_folder import PIPELINES, QUICK
from tests.kubeflow.mlmd_server import mlmd_server
from tests.kubeflow.vertex import VertexService


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_argo_workflow_that_kubeflow_got_pushes_a_model(upload, pipeline, tmp_path):
    result = upload(pipeline)
    (run,) = result.server.runs.values()
    parameters = {each["name"]: each["value"] for each in run["pipeline_spec"]["parameters"]}
    metadata = str(tmp_path / "metadata.sqlite")
    with mlmd_server(metadata) as port:
        argo = ArgoRun(
            read_workflow(result.server.packages["versions-2"]),
            parameters,
            result.folder.environment_of_image,
            port,
            str(tmp_path),
        )
        argo.run()
    assert len(result.folder.pushed()) == 1
    trainer, evaluator = _executions(metadata, "Trainer"), _executions(metadata, "Evaluator")
    assert trainer["train_epochs"].int_value == QUICK[pipeline]["train_epochs"]
    bounds = {value.double_value for value in evaluator.values()}
    assert {v for name, v in QUICK[pipeline].items() if name != "train_epochs"} <= bounds


def _executions(metadata, component):
    """The execution properties of a component's only execution."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = metadata
    store = ml_metadata.MetadataStore(config)
    (kind,) = (t for t in store.get_execution_types() if t.name.endswith(f".{component}"))
    (execution,) = store.get_executions_by_type(kind.name)
    return execution.custom_properties


def _compile(folder, spec):
    """Compiles in the installed package and returns the job as it is submitted."""
    command = [sys.executable, folder.runner("kubeflow/vertex_runner.py")]
    environment = {**folder.environment, "PIPELINE_SPEC": spec}
    subprocess.run(command, cwd=folder.path, env=environment, check=True, capture_output=True)
    if spec == "2.0":
        with open(os.path.join(folder.path, "pipeline.json"), encoding="utf-8") as file:
            return json.load(file)
    with open(os.path.join(folder.path, "pipeline.yaml"), encoding="utf-8") as file:
        pipeline_spec = yaml.safe_load(file)
    root = os.path.join(folder.root, folder.pipeline, "artifacts")
    return {"pipelineSpec": pipeline_spec, "runtimeConfig": {"gcsOutputDirectory": root}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pipeline", "spec"),
    [("movielens", "2.0"), ("census", "2.0"), ("ncf", "2.1")],
)
def test_the_vertex_job_pushes_a_model(foreign_folder, pipeline, spec):
    folder = foreign_folder(pipeline)
    service = VertexService(folder.environment_of_image)
    service.run(_compile(folder, spec), QUICK[pipeline])
    assert len(folder.pushed()) == 1


@pytest.mark.slow
def test_on_vertex_a_second_run_is_compared_with_the_model_that_the_first_pushed(foreign_folder):
    folder = foreign_folder("ncf")
    job = _compile(folder, "2.0")
    service = VertexService(folder.environment_of_image)
    first = service.run(job, QUICK["ncf"])
    assert first["BaselineResolver-model-resolver"] == {"model": []}
    assert len(folder.pushed()) == 1
    second = service.run(job, {**QUICK["ncf"], "seed": 1})
    assert second["BaselineResolver-model-resolver"]["model"] == first["Trainer"]["model"]
    (blessing,) = second["Evaluator"]["blessing"]
    assert blessing["metadata"]["baseline_model_id"] == first["Trainer"]["model"][0]["name"]
