"""Compiles a pipeline to a 2.1 spec for Kubeflow Pipelines, as `tfx --engine kubeflow` does.

`Cluster.from_environment` lists the environment variables.
"""

import json
import os
import sys
from typing import Any

# The tfx command puts this file's folder on the path, and not the project's.
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import yaml
from google.protobuf import json_format

from kubeflow.cluster import Cluster, Resources
from kubeflow.resolve_input import RESOLVED_INPUT
from kubeflow.spec_runner import ResourceSpec, SpecRunner, compile_for
from transforms.base.errors import UserError

_GPU = "nvidia.com/gpu"
# Kubeflow Pipelines counts memory in GB of 10**9 bytes.
_GB_PER_GIB = 1.024**3
_COMMAND = ("python", "-m", "kubeflow.run_executor")
_INPUT_STEP = "ResolveInput"
_INPUT_COMMAND = ("python", "-m", "kubeflow.resolve_input")


class KubeflowRunner(SpecRunner):
    """Writes a 2.1 pipeline spec, and after it what is for Kubernetes alone."""

    def __init__(self, cluster: Cluster):
        super().__init__(
            cluster,
            f"{cluster.config.pipeline}.yaml",
            use_pipeline_spec_2_1=True,
            command=_COMMAND,
        )

    def resource_spec(self, resources: Resources) -> Any:
        """Returns requests; memory, which would otherwise be taken from neighbours, is a limit."""
        gb = resources.memory_gib * _GB_PER_GIB
        spec = ResourceSpec(cpu_request=resources.cpus, memory_request=gb, memory_limit=gb)
        if resources.gpus:
            spec.accelerator.type = _GPU
            spec.accelerator.count = resources.gpus
        return spec

    def adapt(self, spec: dict[str, Any]) -> None:
        """Makes a step of what TFX has done before an engine asks its cache."""
        for name, executor in list(spec["deploymentSpec"]["executors"].items()):
            if executor.get("container", {}).pop("lifecycle", None):
                _add_input_step(spec, name)

    def file_text(self, job: dict[str, Any], defaults: dict[str, Any]) -> str:
        """Returns the spec with its parameters' defaults and the root of artifacts in it.

        Raises:
            UserError: The file is to be JSON, which Vertex takes.
        """
        if not self._output_filename.endswith(".yaml"):
            raise UserError("this compiles for Kubeflow: take vertex_runner.py for --engine vertex")
        spec = job["pipelineSpec"]
        spec["defaultPipelineRoot"] = job["runtimeConfig"]["gcsOutputDirectory"]
        for name, parameter in spec["root"]["inputDefinitions"]["parameters"].items():
            parameter["defaultValue"] = defaults[name]
        return _to_yaml(spec, self._platform_document(spec))

    def _platform_document(self, spec: dict[str, Any]) -> dict[str, Any]:
        executors = {}
        for name, executor in spec["deploymentSpec"]["executors"].items():
            accelerator = executor["container"].get("resources", {}).get("accelerator", {})
            config = self.cluster.placement.executor_config(int(accelerator.get("count", 0)))
            executors[name] = json_format.MessageToDict(config)
        return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}


def _to_yaml(*documents: dict[str, Any]) -> str:
    # Parts of a document that are one object would become an anchor and its aliases.
    return yaml.safe_dump_all(json.loads(json.dumps(documents)))


def _add_input_step(spec: dict[str, Any], executor: str) -> None:
    """Puts the step of `kubeflow.resolve_input` before an ExampleGen's."""
    (generator,) = (n for n, c in spec["components"].items() if c["executorLabel"] == executor)
    executors, task = spec["deploymentSpec"]["executors"], spec["root"]["dag"]["tasks"][generator]
    read = ("input_base", "input_config")
    kind = {"parameterType": "STRUCT"}
    declared = spec["components"][generator]["inputDefinitions"]["parameters"]
    spec["components"][_INPUT_STEP] = {
        "executorLabel": f"{_INPUT_STEP}_executor",
        "inputDefinitions": {"parameters": {name: declared[name] for name in read}},
        "outputDefinitions": {"parameters": {RESOLVED_INPUT: kind}},
    }
    executors[f"{_INPUT_STEP}_executor"] = {
        "container": {
            "image": executors[executor]["container"]["image"],
            "command": list(_INPUT_COMMAND),
            "args": ["{{$}}"],
        }
    }
    spec["root"]["dag"]["tasks"][_INPUT_STEP] = {
        "taskInfo": {"name": _INPUT_STEP},
        "componentRef": {"name": _INPUT_STEP},
        "cachingOptions": {"enableCache": False},
        "inputs": {"parameters": {name: task["inputs"]["parameters"][name] for name in read}},
    }
    declared[RESOLVED_INPUT] = kind
    task["inputs"]["parameters"][RESOLVED_INPUT] = {
        "taskOutputParameter": {
            "producerTask": _INPUT_STEP,
            "outputParameterKey": RESOLVED_INPUT,
        }
    }
    task["dependentTasks"] = [*task.get("dependentTasks", []), _INPUT_STEP]


if __name__ == "__main__":
    compile_for(KubeflowRunner, "kubeflow")
