"""Runs a compiled pipeline job on this machine, as Vertex would."""

import json
import os
from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import yaml

from tests.kubeflow.container import run_container

_Artifact = dict[str, Any]
_Artifacts = dict[str, list[_Artifact]]
_EXECUTOR_INPUT = "{{$}}"
# A 2.0 spec tags a value with its type.
_TAGS = {"INT": "intValue", "DOUBLE": "doubleValue", "STRING": "stringValue"}
_VALUE_TYPES = {"tfx.Boolean", "tfx.Float", "tfx.Integer", "tfx.String"}


class VertexPlayer:
    """A pipeline service."""

    def __init__(self, environment: Mapping[str, str]):
        """Starts it.

        Args:
            environment: What the image sets.
        """
        self._environment = environment
        self._serial = 0

    def run(
        self, job: Mapping[str, Any], parameters: Mapping[str, int | float | str]
    ) -> dict[str, _Artifacts]:
        """Runs all tasks, each after those that it depends on.

        Args:
            job: What VertexRunner wrote.
            parameters: Values of pipeline parameters; the others keep their defaults.

        Returns:
            The artifacts by task and output key.
        """
        spec, config = job["pipelineSpec"], job["runtimeConfig"]
        declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
        assert parameters.keys() <= declared.keys(), "the job has no such parameter"
        values = {
            name: each["defaultValue"] for name, each in declared.items() if "defaultValue" in each
        }
        values |= config["parameters"]
        for name, value in parameters.items():
            values[name] = {_TAGS[declared[name]["type"]]: value}

        tasks = spec["root"]["dag"]["tasks"]
        outputs: dict[str, _Artifacts] = {}
        order = TopologicalSorter({name: _upstream(task) for name, task in tasks.items()})
        for name in order.static_order():
            component = spec["components"][tasks[name]["componentRef"]["name"]]
            executor = spec["deploymentSpec"]["executors"][component["executorLabel"]]
            inputs = _inputs(tasks[name], values, outputs)
            definitions = component.get("outputDefinitions", {}).get("artifacts", {})
            self._serial += 1
            folder = os.path.join(config["gcsOutputDirectory"], f"{name}_{self._serial}")
            outputs[name] = self._run_task(name, executor["container"], inputs, definitions, folder)
        return outputs

    def _run_task(
        self,
        name: str,
        container: Mapping[str, Any],
        inputs: Mapping[str, Any],
        definitions: Mapping[str, Any],
        folder: str,
    ) -> _Artifacts:
        output_file = os.path.join(folder, "executor_output.json")
        outputs = {
            key: [self._plan(definition["artifactType"], os.path.join(folder, key))]
            for key, definition in definitions.items()
        }
        hook = container.get("lifecycle", {}).get("preCacheCheck")
        for part in [container] if hook is None else [hook, container]:
            executor_input = json.dumps(
                {
                    "inputs": {**inputs, "artifacts": _listed(inputs["artifacts"])},
                    "outputs": {"artifacts": _listed(outputs), "outputFile": output_file},
                }
            )
            command = [
                executor_input if each == _EXECUTOR_INPUT else each
                for each in (*part["command"], *part["args"])
            ]
            run_container(name, command, self._environment).check()
            with open(output_file, encoding="utf-8") as file:
                written = json.load(file).get("artifacts", {})
            for key, found in written.items():
                # What a container writes has no type; the plan has.
                outputs[key] = [
                    {**planned, **each}
                    for planned, each in zip(outputs[key], found["artifacts"], strict=True)
                ]
        return outputs

    def _plan(self, artifact_type: Mapping[str, Any], uri: str) -> _Artifact:
        self._serial += 1
        artifact = {
            "name": f"projects/1/locations/l/metadataStores/default/artifacts/{self._serial}",
            "type": artifact_type,
            "uri": uri,
        }
        # On Cloud Storage no folder need be made. The value of a value artifact is a file.
        os.makedirs(
            os.path.dirname(uri) if _title(artifact) in _VALUE_TYPES else uri, exist_ok=True
        )
        return artifact


def _title(artifact: _Artifact) -> str:
    schema = artifact["type"]
    return schema.get("schemaTitle") or yaml.safe_load(schema["instanceSchema"])["title"]


def _upstream(task: Mapping[str, Any]) -> set[str]:
    artifacts = task.get("inputs", {}).get("artifacts", {}).values()
    assert "triggerPolicy" not in task, "this service runs every task"
    return {each["taskOutputArtifact"]["producerTask"] for each in artifacts} | set(
        task.get("dependentTasks", ())
    )


def _inputs(
    task: Mapping[str, Any], values: Mapping[str, Any], outputs: Mapping[str, _Artifacts]
) -> dict[str, Any]:
    """Returns the inputs of a task in the form of ExecutorInput, the artifacts as plain lists."""
    declared = task.get("inputs", {})
    artifacts: _Artifacts = {}
    for name, source in declared.get("artifacts", {}).items():
        producer = source["taskOutputArtifact"]
        artifacts[name] = outputs[producer["producerTask"]][producer["outputArtifactKey"]]
    parameters = {
        name: values[source["componentInputParameter"]]
        if "componentInputParameter" in source
        else source["runtimeValue"]["constantValue"]
        for name, source in declared.get("parameters", {}).items()
    }
    return {"artifacts": artifacts, "parameters": parameters}


def _listed(artifacts: _Artifacts) -> dict[str, Any]:
    return {key: {"artifacts": found} for key, found in artifacts.items()}
