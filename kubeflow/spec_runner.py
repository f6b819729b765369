"""What both runner files share: TFX's compiler, and what it leaves out of a spec."""

import abc
import os
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig
from tfx import v1 as tfx
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from components.data_gate.driver import DataGateDriver
from components.evaluator.driver import EvaluatorDriver
from kubeflow.cluster import Cluster, Resources
from pipeline.environment import one_line_mistakes

# Their drivers tell TFX's cache what they will find, and these engines run no drivers of ours.
_LOOK_AT_RUN_TIME = (DataGateDriver, EvaluatorDriver)

ResourceSpec = PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec


class SpecRunner(KubeflowV2DagRunner, abc.ABC):
    """Compiles a cluster's pipeline to the file that an engine takes."""

    def __init__(
        self,
        cluster: Cluster,
        output_filename: str,
        *,
        use_pipeline_spec_2_1: bool,
        command: Sequence[str] | None = None,
    ):
        """Compiles `cluster`.

        Args:
            cluster: What and where.
            output_filename: Name of the file that the engine takes.
            use_pipeline_spec_2_1: Whether that is of version 2.1, not 2.0.
            command: Of each step; None for TFX's own.
        """
        super().__init__(
            KubeflowV2DagRunnerConfig(
                default_image=cluster.image,
                default_commands=command and list(command),
                use_pipeline_spec_2_1=use_pipeline_spec_2_1,
            ),
            output_filename=output_filename,
        )
        self.cluster = cluster

    @abc.abstractmethod
    def resource_spec(self, resources: Resources) -> Any:
        """Returns resources as a ResourceSpec in the engine's units and names."""

    @abc.abstractmethod
    def adapt(self, spec: dict[str, Any]) -> None:
        """Changes in a spec, in place, what the engine needs otherwise than TFX has it."""

    @abc.abstractmethod
    def file_text(self, job: dict[str, Any], defaults: dict[str, Any]) -> str:
        """Returns what the engine takes.

        Args:
            job: The pipeline job, with the spec in it.
            defaults: Run-time parameters with their defaults.
        """

    def run(
        self,
        pipeline: tfx.dsl.Pipeline,
        parameter_values: dict[str, Any] | None = None,
        write_out: bool = True,
    ) -> dict[str, Any]:
        """Compiles the pipeline, and writes the file to where the tfx command wants it.

        Args:
            pipeline: The DAG.
            parameter_values: In place of the defaults of run-time parameters.
            write_out: Whether to write the file.

        Returns:
            The pipeline job.
        """
        defaults = _defaults(pipeline) | (parameter_values or {})
        job = super().run(pipeline, defaults, write_out=False)
        executors = job["pipelineSpec"]["deploymentSpec"]["executors"]
        tasks = job["pipelineSpec"]["root"]["dag"]["tasks"]
        for node in pipeline.components:
            if node.driver_class in _LOOK_AT_RUN_TIME:
                tasks[node.id]["cachingOptions"]["enableCache"] = False
            resources = self.cluster.resources(node.id)
            if resources is not None:
                # TFX itself would pass none on to an ExampleGen.
                executors[f"{node.id}_executor"]["container"]["resources"] = (
                    json_format.MessageToDict(self.resource_spec(resources))
                )
        self.adapt(job["pipelineSpec"])
        if write_out:
            path = os.path.join(self._output_dir, self._output_filename)
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.file_text(job, defaults))
        return job


def compile_for(runner: Callable[[Cluster], SpecRunner], engine: str) -> None:
    """Writes what the environment variables describe to the working folder, by an engine's runner.

    Args:
        runner: Makes the runner of a cluster.
        engine: What it is for: "kubeflow" or "vertex".
    """
    with one_line_mistakes():
        cluster = Cluster.from_environment(os.environ, engine)
        runner(cluster).run(cluster.pipeline())


def _defaults(pipeline: tfx.dsl.Pipeline) -> dict[str, Any]:
    return {
        value.name: value.default
        for node in pipeline.components
        for value in node.exec_properties.values()
        if isinstance(value, RuntimeParameter)
    }
