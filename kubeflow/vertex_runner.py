"""Compiles a pipeline to a job for Vertex Pipelines, as `tfx --engine vertex` does.

`Cluster.from_environment` lists the environment variables. With PIPELINE_SPEC=2.1 the outcome is
`pipeline.yaml`, the newer form, which a Kubeflow Pipelines 2 backend takes, too.
"""

import os
import sys
from typing import Any

# The tfx command puts this file's folder on the path, and not the project's.
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import yaml
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig
from tfx import v1 as tfx
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from kubeflow.cluster import Cluster, Resources
from pipeline.environment import Environment, one_line_mistakes
from transforms.checks import check_choice

_ResourceSpec = PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec
_SPECS = {"2.0": "pipeline.json", "2.1": "pipeline.yaml"}


def resource_spec(resources: Resources, gpu_type: str) -> Any:
    """Returns resources as Vertex takes them.

    Args:
        resources: What to ask for.
        gpu_type: Kubernetes' name of the GPU, such as "nvidia-tesla-t4".
    """
    spec = _ResourceSpec(cpu_limit=resources.cpus, memory_limit=resources.memory_gib)
    if resources.gpus:
        spec.accelerator.type = gpu_type.upper().replace("-", "_")
        spec.accelerator.count = resources.gpus
    return spec


def vertex_pipeline(cluster: Cluster) -> tfx.dsl.Pipeline:
    """Returns the DAG with resources; TFX reads none of an ExampleGen, which gets the default."""
    pipeline = cluster.pipeline()
    for node in pipeline.components:
        resources = cluster.resources(node.id)
        if resources is not None:
            node.with_platform_config(resource_spec(resources, cluster.gpu_type))
    return pipeline


def parameter_defaults(pipeline: tfx.dsl.Pipeline) -> dict[str, Any]:
    """Returns the run-time parameters of a pipeline with their defaults, which TFX leaves out."""
    return {
        value.name: value.default
        for node in pipeline.components
        for value in node.exec_properties.values()
        if isinstance(value, RuntimeParameter)
    }


def run() -> None:
    """Writes the job to the working folder."""
    with one_line_mistakes():
        spec = Environment(os.environ).get("PIPELINE_SPEC", "2.0")
        check_choice("PIPELINE_SPEC", spec, tuple(_SPECS))
        cluster = Cluster.from_environment(os.environ, baseline_by_service=True)
        config = KubeflowV2DagRunnerConfig(
            default_image=cluster.image, use_pipeline_spec_2_1=spec == "2.1"
        )
        pipeline = vertex_pipeline(cluster)
        defaults = parameter_defaults(pipeline)
        job = KubeflowV2DagRunner(config=config, output_filename=_SPECS[spec]).run(
            pipeline, parameter_values=defaults
        )
        if spec == "2.1":
            _write_with_defaults(job["pipelineSpec"], defaults, _SPECS[spec])


def _write_with_defaults(spec: dict[str, Any], defaults: dict[str, Any], path: str) -> None:
    """Writes a pipeline spec anew: there is no job around it that would hold the defaults."""
    for name, parameter in spec["root"]["inputDefinitions"]["parameters"].items():
        parameter["defaultValue"] = defaults[name]
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(spec, file)


if __name__ == "__main__":
    run()
