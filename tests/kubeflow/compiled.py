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
from kubeflow.spec_runner import compile_for
from pipeline import fingerprint

PIPELINES = ("ncf", "movielens", "census")
ENGINES = ("kubeflow", "vertex")
ENVIRONMENT = {
    "DATA_ROOT": "gs://bucket/data",
    "PIPELINE_ROOT": "gs://bucket/pipelines",
    "PIPELINE_IMAGE": "registry.example/tfx-recommenders:1",
}
_CODE = fingerprint.CodeFingerprints(
    **{part.name: part.name for part in dataclasses.fields(fingerprint.CodeFingerprints)}
)


def compile_pipeline(pipeline: str, engine: str, **variables: str) -> list[dict[str, Any]]:
    """Returns the documents that a runner file writes, but for fingerprints of the sources.

    Args:
        pipeline: Its name.
        engine: "kubeflow" for a spec and Kubernetes' part of it, or "vertex" for a job.
        variables: Environment variables besides ENVIRONMENT.
    """
    # None of those that a shell may have for a cluster of its own.
    ours = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environment = {**ours, **ENVIRONMENT, "PIPELINE": pipeline, **variables}
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch("kubeflow.cluster.code_fingerprints", return_value=_CODE),
    ):
        if engine == "kubeflow":
            compile_for(kubeflow_runner.KubeflowRunner, engine)
            with open(f"{pipeline}.yaml", encoding="utf-8") as file:
                return list(yaml.safe_load_all(file))
        compile_for(vertex_runner.VertexRunner, engine)
        with open("pipeline.json", encoding="utf-8") as file:
            job = json.load(file)
        # The one Python of several that compiles.
        del job["labels"]["tfx_py_version"]
        return [job]


def spec_of(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the pipeline spec of either engine."""
    return documents[0].get("pipelineSpec", documents[0])


def golden_text(documents: list[dict[str, Any]]) -> str:
    """Returns a compiled pipeline as YAML, the JSON in its strings taken apart."""
    return yaml.safe_dump_all(_expanded(documents), width=100)


def _expanded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _expanded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_expanded(entry) for entry in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(json.JSONDecodeError):
            return _expanded(json.loads(value))
    return value
