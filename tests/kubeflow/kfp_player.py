"""Runs a compiled 2.1 pipeline spec on this machine, as Kubeflow Pipelines 2.17 does.

Its driver, its launcher and its cache are played by the letter where a step can notice.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

import yaml

from tests.kubeflow.container import Ended

_Artifact = dict[str, Any]
_SCHEME = "minio://"
# How the launcher reaches the store, which it keeps with each artifact.
_SESSION = json.dumps({"Provider": "minio", "Params": {"secretName": "mlpipeline-minio-artifact"}})
# What Kubernetes knows by itself; all other resources have a domain.
_RESOURCES = ("cpu", "memory")
_RESOURCE = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-\w.]*[A-Za-z0-9])?")


class RefusedError(Exception):
    """No run is created of the spec, or no pod of a step."""


@dataclass
class Outputs:
    """What a task has made.

    Attributes:
        artifacts: By key, as the metadata store has them.
        parameters: Values by name.
    """

    artifacts: dict[str, _Artifact] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """A run.

    Attributes:
        outputs: By task.
        cached: Tasks whose outputs were an earlier run's.
        ended: How the pods of the others ended; of one that did not, what comes after never began.
    """

    outputs: dict[str, Outputs] = field(default_factory=dict)
    cached: list[str] = field(default_factory=list)
    ended: dict[str, Ended] = field(default_factory=dict)

    @property
    def failed(self) -> Ended | None:
        """How the pod ended that stopped the run, or None if it succeeded."""
        return next((each for each in self.ended.values() if each.code), None)


@dataclass(frozen=True)
class _Task:
    name: str
    spec: Mapping[str, Any]
    component: Mapping[str, Any]
    container: Mapping[str, Any]
    claims: tuple[str, ...]

    @classmethod
    def of(
        cls, name: str, spec: Mapping[str, Any], claims: Mapping[str, tuple[str, ...]]
    ) -> "_Task":
        task = spec["root"]["dag"]["tasks"][name]
        component = spec["components"][task["componentRef"]["name"]]
        label = component["executorLabel"]
        container = _executors(spec)[label]["container"]
        return cls(name, task, component, container, claims.get(label, ()))


class KfpPlayer:
    """An installation of Kubeflow Pipelines with an object store."""

    def __init__(
        self, run_pod: Callable[[str, list[str], str], Ended], folder: str, root: str | None = None
    ):
        """Starts it.

        Args:
            run_pod: Runs a step by its name and its command, with a folder in which those lie that
                the launcher has in the root folder.
            folder: Of the object store and of the pods' own files.
            root: Where a pod has that folder; None for where it is.
        """
        self._run_pod = run_pod
        self._store = os.path.join(folder, "store")
        self._pod = os.path.join(folder, "pod")
        self._root = root or self._pod
        self._cache: dict[str, Outputs] = {}
        self._artifacts = 0
        self._runs = 0

    def stored(self, artifact: _Artifact) -> str:
        """Returns where the files of an artifact are."""
        return os.path.join(self._store, artifact["uri"].removeprefix(_SCHEME))

    def run(self, package: bytes, parameters: Mapping[str, Any] | None = None) -> Run:
        """Runs the tasks, each after those that it depends on, until one fails.

        Args:
            package: What KubeflowRunner wrote.
            parameters: Values of pipeline parameters; the others keep their defaults.

        Raises:
            RefusedError: The spec is not one that runs.
        """
        spec, *platforms = yaml.safe_load_all(package)
        volumes = _volumes(platforms)
        if spec["schemaVersion"] != "2.1.0":
            raise RefusedError("KFP only supports schema version 2.1.0")
        if any({"container", "importer"}.isdisjoint(e) for e in _executors(spec).values()):
            raise RefusedError("non-container and non-importer executor not implemented")
        declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
        values = {name: each.get("defaultValue") for name, each in declared.items()}
        values |= parameters or {}
        if values.keys() != declared.keys():
            raise RefusedError("the pipeline has no such parameter")
        self._runs += 1
        root = f"{spec['defaultPipelineRoot']}/{spec['pipelineInfo']['name']}/run-{self._runs}"
        tasks = {name: _Task.of(name, spec, volumes) for name in spec["root"]["dag"]["tasks"]}
        run = Run()
        order = {name: task.spec.get("dependentTasks", ()) for name, task in tasks.items()}
        for name in TopologicalSorter(order).static_order():
            self._run_task(tasks[name], _resolve(tasks[name], values, run), root, run)
            if run.failed:
                break
        return run

    def _run_task(self, task: "_Task", inputs: dict[str, Any], root: str, run: Run) -> None:
        """Runs a task, or takes what it made from the cache."""
        name, container = task.name, task.container
        declared = task.component.get("outputDefinitions", {})
        kinds = {key: each["artifactType"] for key, each in declared.get("artifacts", {}).items()}
        # PUBLISH_LOGS is true by default.
        kinds["executor-logs"] = {"schemaTitle": "system.Artifact"}
        fingerprint = _digest(inputs, kinds, container["command"], container["args"], task.claims)
        if task.spec.get("cachingOptions", {}).get("enableCache") and fingerprint in self._cache:
            run.cached.append(name)
            run.outputs[name] = self._cache[fingerprint]
            return
        folder = f"{root}/{name}/{self._artifacts}"
        planned = {
            key: {"name": key, "uri": f"{folder}/{key}", "type": kind}
            for key, kind in kinds.items()
        }
        _check_resources(container.get("resources", {}))
        ended, written = self._launch(name, container, inputs, planned, folder)
        run.ended[name] = ended
        if ended.code:
            return
        for key, artifact in planned.items():
            (said,) = written.get("artifacts", {}).get(key, {}).get("artifacts", [{}])
            artifact["uri"] = said.get("uri", artifact["uri"])
            added = {"display_name": key, "store_session_info": _SESSION}
            artifact["metadata"] = {**added, **said.get("metadata", {})}
            self._artifacts += 1
            artifact["name"] = str(self._artifacts)
        run.outputs[name] = Outputs(planned, written.get("parameterValues", {}))
        assert run.outputs[name].parameters.keys() == declared.get("parameters", {}).keys()
        self._cache[fingerprint] = run.outputs[name]

    def _launch(
        self,
        name: str,
        container: Mapping[str, Any],
        inputs: dict[str, Any],
        planned: dict[str, _Artifact],
        folder: str,
    ) -> tuple[Ended, dict[str, Any]]:
        """Runs a pod; what it leaves elsewhere than in its outputs' folders is gone with it."""
        for artifact in inputs["artifacts"].values():
            _copy(self.stored(artifact), self._local(artifact["uri"]))
        for artifact in planned.values():
            os.makedirs(os.path.dirname(self._local(artifact["uri"])), exist_ok=True)
        output_file = os.path.join(self._local(folder), "output_metadata.json")
        executor_input = json.dumps(
            {
                "inputs": {
                    "parameterValues": inputs["parameters"],
                    "artifacts": {
                        # The metadata store keeps no types.
                        key: {"artifacts": [{**each, "type": {"instanceSchema": ""}}]}
                        for key, each in inputs["artifacts"].items()
                    },
                },
                "outputs": {
                    "artifacts": {key: {"artifacts": [each]} for key, each in planned.items()},
                    "outputFile": output_file.replace(self._pod, self._root.rstrip("/"), 1),
                },
            }
        )
        command = [
            executor_input if each == "{{$}}" else each
            for each in (*container["command"], *container["args"])
        ]
        ended = self._run_pod(name, command, self._pod)
        written = {}
        if os.path.exists(output_file):
            with open(output_file, encoding="utf-8") as file:
                written = json.load(file)
        with open(self._local(planned["executor-logs"]["uri"]), "w", encoding="utf-8") as file:
            file.write(ended.said)
        # Of a step that failed, its log alone is kept.
        for artifact in [planned["executor-logs"]] if ended.code else planned.values():
            _copy(self._local(artifact["uri"]), self.stored(artifact))
        shutil.rmtree(self._pod)
        return ended, written

    def _local(self, uri: str) -> str:
        """Returns where a pod has the files of a URI."""
        assert uri.startswith(_SCHEME), "this installation has one object store"
        return os.path.join(self._pod, "minio", uri.removeprefix(_SCHEME))


def _executors(spec: Mapping[str, Any]) -> dict[str, Any]:
    executors: dict[str, Any] = spec["deploymentSpec"]["executors"]
    return executors


def _volumes(platforms: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Returns the claims of each executor."""
    return {
        label: tuple(mount["constant"] for mount in config.get("pvcMount", ()))
        for platform in platforms
        for label, config in _executors(platform["platforms"]["kubernetes"]).items()
    }


def _resolve(task: _Task, values: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Returns the artifacts and the values of the parameters that a task is given."""
    declared = task.spec.get("inputs", {})
    artifacts = {}
    for name, source in declared.get("artifacts", {}).items():
        producer = source["taskOutputArtifact"]
        artifacts[name] = run.outputs[producer["producerTask"]].artifacts[
            producer["outputArtifactKey"]
        ]
    parameters = {}
    for name, source in declared.get("parameters", {}).items():
        if "componentInputParameter" in source:
            parameters[name] = values[source["componentInputParameter"]]
        elif "taskOutputParameter" in source:
            producer = source["taskOutputParameter"]
            made = run.outputs[producer["producerTask"]].parameters
            parameters[name] = made[producer["outputParameterKey"]]
        else:
            parameters[name] = source["runtimeValue"]["constant"]
    return {"artifacts": artifacts, "parameters": parameters}


def _digest(inputs: Mapping[str, Any], *more: Any) -> str:
    """Returns a cache key: of an artifact it holds the id alone."""
    names = {key: artifact["name"] for key, artifact in inputs["artifacts"].items()}
    text = json.dumps([names, inputs["parameters"], *more], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_resources(resources: Mapping[str, Any]) -> None:
    accelerator = resources.get("accelerator", {}).get("type", "cpu")
    if accelerator not in _RESOURCES and not _RESOURCE.fullmatch(accelerator):
        raise RefusedError(
            f"Pod is invalid: spec.containers[0].resources.limits[{accelerator}]: must be a "
            "standard resource type or fully qualified"
        )


def _copy(path: str, to: str) -> None:
    """Copies a file or the files of a folder; an object store has no empty folders."""
    if os.path.isfile(path):
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy(path, to)
    for name in os.listdir(path) if os.path.isdir(path) else ():
        _copy(os.path.join(path, name), os.path.join(to, name))
