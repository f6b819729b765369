"""Compiles a pipeline to a job for Vertex Pipelines, as `tfx --engine vertex` does.

`Cluster.from_environment` lists the environment variables.
"""

import json
import os
import sys
from typing import Any

# The tfx command puts this file's folder on the path, and not the project's.
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from kubeflow.cluster import Cluster, Resources
from kubeflow.spec_runner import ResourceSpec, SpecRunner, compile_for


class VertexRunner(SpecRunner):
    """Writes a job with a 2.0 pipeline spec, which Vertex takes together with its parameters."""

    def __init__(self, cluster: Cluster):
        super().__init__(cluster, "pipeline.json", use_pipeline_spec_2_1=False)

    def resource_spec(self, resources: Resources) -> Any:
        """Returns what Vertex chooses a machine by."""
        spec = ResourceSpec(cpu_limit=resources.cpus, memory_limit=resources.memory_gib)
        if resources.gpus:
            spec.accelerator.type = self.cluster.gpu_type.upper().replace("-", "_")
            spec.accelerator.count = resources.gpus
        return spec

    def adapt(self, spec: dict[str, Any]) -> None:
        """Changes nothing: Vertex is what TFX compiles for."""

    def file_text(self, job: dict[str, Any], defaults: dict[str, Any]) -> str:
        """Returns the job, which holds the defaults."""
        return json.dumps(job, sort_keys=True)


if __name__ == "__main__":
    compile_for(VertexRunner, "vertex")
