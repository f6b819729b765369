"""Compiles a pipeline to a 2.1 spec for Kubeflow Pipelines, as `tfx --engine kubeflow` does.

`Cluster.from_environment` lists the environment variables.
"""

import os
import sys
from typing import Any

# The tfx command puts this file's folder on the path, and not the project's.
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import yaml
from google.protobuf import json_format
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig, NodeSelector

from kubeflow.cluster import Cluster, Resources
from kubeflow.spec_runner import ResourceSpec, SpecRunner
from pipeline.environment import one_line_mistakes
from transforms.errors import UserError

_GPU = "nvidia.com/gpu"
_GPU_NODES = "cloud.google.com/gke-accelerator"
# Kubeflow Pipelines counts memory in GB of 10**9 bytes.
_GB_PER_GIB = 1.024**3


class KubeflowRunner(SpecRunner):
    """Writes a 2.1 pipeline spec, and after it what is for Kubernetes alone."""

    def __init__(self, cluster: Cluster):
        super().__init__(cluster, f"{cluster.config.pipeline}.yaml", use_pipeline_spec_2_1=True)

    def resource_spec(self, resources: Resources) -> Any:
        """Returns requests; memory, which would otherwise be taken from neighbours, is a limit."""
        gb = resources.memory_gib * _GB_PER_GIB
        spec = ResourceSpec(cpu_request=resources.cpus, memory_request=gb, memory_limit=gb)
        if resources.gpus:
            spec.accelerator.type = _GPU
            spec.accelerator.count = resources.gpus
        return spec

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
        return yaml.safe_dump_all([spec, *self._platform_documents(spec)])

    def _platform_documents(self, spec: dict[str, Any]) -> list[dict[str, Any]]:
        labels = {_GPU_NODES: self.cluster.gpu_type}
        on_gpu_nodes = KubernetesExecutorConfig(node_selector=NodeSelector(labels=labels))
        executors = {
            name: json_format.MessageToDict(on_gpu_nodes)
            for name, executor in spec["deploymentSpec"]["executors"].items()
            if "accelerator" in executor.get("container", {}).get("resources", {})
        }
        if not executors:
            return []
        return [{"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}]


def run() -> None:
    """Writes `<pipeline>.yaml` to the working folder."""
    with one_line_mistakes():
        cluster = Cluster.from_environment(os.environ)
        KubeflowRunner(cluster).run(cluster.pipeline())


if __name__ == "__main__":
    run()
