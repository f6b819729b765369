"""Runs a compiled Argo workflow, step by step, on this machine."""

import io
import json
import os
import re
import tarfile
from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import yaml

from tests.kubeflow.container import run_container

_PLACEHOLDER = re.compile(r"\{\{([a-zA-Z0-9_.\-]+)\}\}")
_INPUT = "inputs.parameters."
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_RUN_ID = "00000000-0000-0000-0000-000000000007"


def read_workflow(package: bytes) -> dict[str, Any]:
    """Returns the workflow in a package of KubeflowDagRunner, a .tar.gz of one file."""
    with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as archive:
        (member,) = archive.getmembers()
        file = archive.extractfile(member)
        assert file is not None
        return yaml.safe_load(file)


def check_workflow(workflow: Mapping[str, Any]) -> None:
    """Fails for what Argo would refuse: a name, a reference or a parameter that is not right."""
    assert (workflow["apiVersion"], workflow["kind"]) == ("argoproj.io/v1alpha1", "Workflow")
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*-", workflow["metadata"]["generateName"])
    spec = workflow["spec"]
    templates = {template["name"]: template for template in spec["templates"]}
    assert len(templates) == len(spec["templates"])
    declared = {each["name"] for each in spec["arguments"]["parameters"]}
    entry = templates[spec["entrypoint"]]
    # What the entrypoint takes comes from the workflow's parameters.
    assert _inputs(entry) <= declared
    tasks = {task["name"]: task for task in entry["dag"]["tasks"]}
    assert len(tasks) == len(templates) - 1
    TopologicalSorter(
        {name: task.get("dependencies", ()) for name, task in tasks.items()}
    ).prepare()
    for name, task in tasks.items():
        assert _NAME.fullmatch(name) and set(task.get("dependencies", ())) <= tasks.keys()
        template = templates[task["template"]]
        given = task.get("arguments", {}).get("parameters", ())
        assert {each["name"] for each in given} == _inputs(template)
        assert _used(given) <= _inputs(entry)
        assert _used(template["container"]) <= _inputs(template)
        assert template["container"]["image"] and template["container"]["command"]


def _inputs(template: Mapping[str, Any]) -> set[str]:
    return {each["name"] for each in template.get("inputs", {}).get("parameters", ())}


def _used(part: Any) -> set[str]:
    names = {match[1] for match in _PLACEHOLDER.finditer(json.dumps(part))}
    assert all(name.startswith(_INPUT) for name in names)
    return {name.removeprefix(_INPUT) for name in names}


class ArgoRun:
    """One run of a workflow.

    Attributes:
        name: The workflow's name, which TFX takes for the run's id.
        done: The steps that ended, in order.
    """

    def __init__(
        self,
        workflow: Mapping[str, Any],
        parameters: Mapping[str, str],
        environment: Mapping[str, str],
        metadata_port: int,
        folder: str,
        name: str = "run-1",
    ):
        """Prepares a run.

        Args:
            workflow: The compiled workflow.
            parameters: Values of pipeline parameters; the others keep their defaults.
            environment: What the image sets.
            metadata_port: The port of 127.0.0.1 that serves ML Metadata.
            folder: Takes the files that containers put out for Argo.
            name: The workflow's name.
        """
        spec = workflow["spec"]
        self.name = name
        self.done: list[str] = []
        self._templates = {template["name"]: template for template in spec["templates"]}
        self._entrypoint = spec["entrypoint"]
        self._environment = environment
        self._folder = folder
        # What the cluster's config map of that name holds.
        self._config_maps = {
            "metadata-grpc-configmap": {
                "METADATA_GRPC_SERVICE_HOST": "127.0.0.1",
                "METADATA_GRPC_SERVICE_PORT": str(metadata_port),
            }
        }
        declared = {each["name"]: each.get("value") for each in spec["arguments"]["parameters"]}
        assert parameters.keys() <= declared.keys(), "the workflow has no such parameter"
        self._parameters = {**declared, **parameters}

    def run(self) -> None:
        """Runs all steps, each after those that it depends on."""
        dag = self._templates[self._entrypoint]["dag"]
        tasks = {task["name"]: task for task in dag["tasks"]}
        order = TopologicalSorter(
            {name: task.get("dependencies", ()) for name, task in tasks.items()}
        )
        for name in order.static_order():
            arguments = tasks[name].get("arguments", {}).get("parameters", ())
            inputs = {each["name"]: _fill(each["value"], self._parameters) for each in arguments}
            self._run_step(name, self._templates[tasks[name]["template"]], inputs)
            self.done.append(name)

    def _run_step(self, name: str, template: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
        container = template["container"]
        command = [_fill(each, inputs) for each in (*container["command"], *container["args"])]
        step_folder = os.path.join(self._folder, self.name, name)
        os.makedirs(step_folder)
        # Those paths are absolute; a container's root is its own, this machine's is not.
        outputs = {
            each["path"]: os.path.join(step_folder, os.path.basename(each["path"]))
            for each in template.get("outputs", {}).get("artifacts", ())
        }
        run_container(
            name,
            [outputs.get(each, each) for each in command],
            {**self._environment, **self._variables(name, template, inputs)},
        )
        for path in outputs.values():
            assert os.path.isfile(path), f"{name} did not write {path}"

    def _variables(
        self, name: str, template: Mapping[str, Any], inputs: Mapping[str, str]
    ) -> dict[str, str]:
        metadata = template.get("metadata", {})
        fields = {
            "metadata.name": f"{self.name}-{name}",
            "metadata.uid": _RUN_ID,
            "metadata.namespace": "kubeflow",
            "metadata.labels['workflows.argoproj.io/workflow']": self.name,
            "metadata.labels['pipeline/runid']": _RUN_ID,
            **{f"metadata.labels['{k}']": v for k, v in metadata.get("labels", {}).items()},
            **{
                f"metadata.annotations['{k}']": v
                for k, v in metadata.get("annotations", {}).items()
            },
        }
        variables: dict[str, str] = {}
        for source in template["container"].get("envFrom", ()):
            variables |= self._config_maps[source["configMapRef"]["name"]]
        for variable in template["container"].get("env", ()):
            variables[variable["name"]] = (
                _fill(variable["value"], inputs)
                if "value" in variable
                else fields[variable["valueFrom"]["fieldRef"]["fieldPath"]]
            )
        return variables


def _fill(text: str, inputs: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: inputs[match[1].removeprefix(_INPUT)], text)
