"""Compiles a pipeline to an Argo workflow for Kubeflow Pipelines, as `tfx --engine kubeflow` does.

`Cluster.from_environment` lists the environment variables.
"""

import os
import sys

# The tfx command puts this file's folder on the path, and not the project's.
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from kfp import dsl
from tfx.orchestration.kubeflow.kubeflow_dag_runner import (
    KubeflowDagRunner,
    KubeflowDagRunnerConfig,
    OpFunc,
    get_default_pipeline_operator_funcs,
)

from kubeflow.cluster import Cluster
from pipeline.environment import one_line_mistakes

_GPU_NODES = "cloud.google.com/gke-accelerator"


def give_resources(cluster: Cluster) -> OpFunc:
    """Returns a function that gives a step's container its resources."""

    def give(op: dsl.ContainerOp) -> dsl.ContainerOp:
        # `human_name` is the component's id; `name` is made from it.
        resources = cluster.resources(op.human_name)
        if resources is None:
            return op
        if resources.cpus:
            op.container.set_cpu_request(str(resources.cpus))
        if resources.memory_gib:
            op.container.set_memory_request(f"{resources.memory_gib}Gi")
            op.container.set_memory_limit(f"{resources.memory_gib}Gi")
        if resources.gpus:
            op.container.set_gpu_limit(str(resources.gpus))
            op.add_node_selector_constraint(_GPU_NODES, cluster.gpu_type)
        return op

    return give


def run() -> None:
    """Writes `<pipeline>.tar.gz` to the working folder."""
    with one_line_mistakes():
        cluster = Cluster.from_environment(os.environ)
        config = KubeflowDagRunnerConfig(
            tfx_image=cluster.image,
            pipeline_operator_funcs=[
                *get_default_pipeline_operator_funcs(),
                give_resources(cluster),
            ],
        )
        KubeflowDagRunner(config=config).run(cluster.pipeline())


if __name__ == "__main__":
    run()
