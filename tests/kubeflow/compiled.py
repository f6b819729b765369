"""Pipelines as the runner files compile them, in a form that can be compared and read."""

import contextlib
import dataclasses
import json
import os
import tempfile
from typing import Any
from unittest import mock

import yaml

from kubeflow import kubeflow_runner, vertex_runner
from pipeline import fingerprint
from tests.kubeflow.argo import read_workflow

PIPELINES = ("ncf", "movielens", "census")
ENGINES = ("kubeflow", "vertex")
ENVIRONMENT = {
    "DATA_ROOT": "gs://bucket/data",
    "PIPELINE_ROOT": "gs://bucket/pipelines",
    "PIPELINE_IMAGE": "registry.example/tfx-recommenders:1",
}
_CHANGES_WITH_TIME = "pipelines.kubeflow.org/pipeline_compilation_time"
_CODE = fingerprint.CodeFingerprints(
    **{part.name: part.name for part in dataclasses.fields(fingerprint.CodeFingerprints)}
)


def compile_pipeline(pipeline: str, engine: str, **variables: str) -> dict[str, Any]:
    """Returns what the engine's runner file writes, but for fingerprints of the sources.

    Args:
        pipeline: Its name.
        engine: "kubeflow" for an Argo workflow or "vertex" for a pipeline job.
        variables: Environment variables besides ENVIRONMENT.
    """
    environment = {**ENVIRONMENT, "PIPELINE": pipeline, **variables}
    with (
        tempfile.TemporaryDirectory() as folder,
        _working_in(folder),
        mock.patch.dict(os.environ, environment),
        mock.patch("kubeflow.cluster.code_fingerprints", return_value=_CODE),
    ):
        if engine == "kubeflow":
            kubeflow_runner.run()
            with open(f"{pipeline}.tar.gz", "rb") as file:
                workflow = read_workflow(file.read())
            workflow["metadata"]["annotations"].pop(_CHANGES_WITH_TIME)
            return workflow
        vertex_runner.run()
        with open("pipeline.json", encoding="utf-8") as file:
            return json.load(file)


def golden_text(compiled: dict[str, Any]) -> str:
    """Returns a compiled pipeline as YAML, the JSON in its strings taken apart."""
    return yaml.safe_dump(_expanded(compiled), width=100)


def _expanded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _expanded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_expanded(entry) for entry in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(json.JSONDecodeError):
            return _expanded(json.loads(value))
    return value


@contextlib.contextmanager
def _working_in(folder):
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
