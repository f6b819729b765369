"""Beam's arguments for the engines that components run on, by component."""

import dataclasses

from pipeline.beam_steps import in_process_args, is_beam_step
from transforms.base.settings import OneOf, Range

_ENGINES = ("direct", "dataflow", "flink", "spark")

# The Evaluator holds a model in each worker process, the others hold blocks of columns.
_MACHINE_TYPES = {"Evaluator": "n1-highmem-4"}
_MACHINE_TYPE = "n1-standard-4"


@dataclasses.dataclass(frozen=True, kw_only=True)
class BeamEngine:
    """The engine that Beam steps run on.

    Attributes:
        name: "direct" runs a step in its own process; "dataflow", "flink" and "spark" are Beam's
            runners of those names.
        image: The image that workers run, the same as the components'. For Flink and Spark the
            workers' pools run it, beside each task manager or executor.
        pipeline: Labels the jobs.
        project: Dataflow: the Google Cloud project.
        region: Dataflow: the region.
        temp_location: Dataflow: a folder for staged files, such as gs://bucket/tmp.
        service_account: Dataflow: the workers' account; "" for the project's default.
        max_workers: Dataflow: machines at most. Flink and Spark: the parallelism.
        master: Flink: the job manager, as host:port. Spark: Beam's job server for it, likewise.
        worker_pool: Flink and Spark: address of the worker pool, as a task manager sees it.
    """

    name: str = "direct"
    image: str = ""
    pipeline: str = ""
    project: str = ""
    region: str = ""
    temp_location: str = ""
    service_account: str = ""
    max_workers: int = 8
    master: str = ""
    worker_pool: str = "localhost:50000"

    def __post_init__(self) -> None:
        """Raises UserError for an unknown engine, or for no workers at all."""
        OneOf(*_ENGINES).check("BEAM_ENGINE", self.name)
        Range(at_least=1).check("BEAM_MAX_WORKERS", self.max_workers)

    def args(self, component: str) -> tuple[str, ...]:
        """Returns the arguments of one component; none where it uses no Beam.

        Args:
            component: Its id, such as "Transform".
        """
        if self.name == "direct" or not is_beam_step(component):
            return in_process_args(component)
        if self.name == "dataflow":
            account = self.service_account
            return (
                "--runner=DataflowRunner",
                f"--project={self.project}",
                f"--region={self.region}",
                f"--temp_location={self.temp_location}",
                f"--machine_type={_MACHINE_TYPES.get(component, _MACHINE_TYPE)}",
                f"--max_num_workers={self.max_workers}",
                f"--sdk_container_image={self.image}",
                "--sdk_location=container",
                "--experiments=use_runner_v2",
                f"--labels=pipeline={self.pipeline}",
                f"--labels=component={component.lower()}",
                *((f"--service_account_email={account}",) if account else ()),
            )
        return (
            *(
                ("--runner=FlinkRunner", f"--flink_master={self.master}", "--flink_submit_uber_jar")
                if self.name == "flink"
                # Sent to Spark as a jar of its own, a job would tell none of its counters, which an
                # ExampleGen needs; Beam's job server does.
                else ("--runner=SparkRunner", f"--job_endpoint={self.master}")
            ),
            f"--parallelism={self.max_workers}",
            # A worker pool from the same image, which has the project installed.
            "--environment_type=EXTERNAL",
            f"--environment_config={self.worker_pool}",
            # Without it TFX builds a source distribution of itself for each step.
            f"--sdk_container_image={self.image}",
            "--experiments=pre_optimize=all",
            # The default minute is short for a cluster that starts its workers first.
            "--job_server_timeout=600",
        )
