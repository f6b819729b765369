"""A pipeline on a cluster: where it runs, on which image, with which resources."""

import dataclasses
import os
from collections.abc import Mapping

from tfx import v1 as tfx

from kubeflow.beam_engine import BeamEngine
from kubeflow.placement import Placement
from kubeflow.storage import Storage, is_bucket
from kubeflow.variables import ClusterEnvironment
from pipeline.beam_steps import is_beam_step
from pipeline.config import Deployment, PipelineConfig
from pipeline.fingerprint import code_fingerprints
from pipeline.pipeline import create_pipeline
from transforms.base.settings import check


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resources:
    """What a step's container is given; 0 leaves it to the cluster.

    Attributes:
        cpus: Processor cores.
        memory_gib: Memory in GiB.
        gpus: Graphics processors.
    """

    cpus: int = 0
    memory_gib: int = 0
    gpus: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cluster:
    """A pipeline on a cluster.

    Attributes:
        config: What to compute.
        deployment: Where.
        beam_engine: What the Beam steps run on.
        image: The image of all steps and Beam workers.
        gpu_type: Vertex: the Trainer's kind of GPU, such as "nvidia-tesla-t4".
        placement: Kubeflow Pipelines: where pods run, and what they have mounted.
        beam_resources: Resources of each step that does its work in Beam.
    """

    config: PipelineConfig
    deployment: Deployment
    beam_engine: BeamEngine
    image: str
    gpu_type: str
    placement: Placement
    beam_resources: Resources

    @classmethod
    def from_environment(cls, variables: Mapping[str, str], engine: str) -> "Cluster":
        """Returns what environment variables describe.

        Args:
            variables: PIPELINE, SETTINGS (`name=value` pairs with blanks between them),
                DATA_ROOT, PIPELINE_ROOT and PIPELINE_IMAGE; TRAINER_GPUS (1) and TRAINER_GPU_TYPE
                (nvidia-tesla-t4), those of `Placement.from_environment`; BEAM_CPUS (4) and
                BEAM_MEMORY_GIB (16) of each Beam step;
                BEAM_ENGINE (direct, or dataflow, flink, spark) with BEAM_MAX_WORKERS (8), and for
                Flink and Spark BEAM_MASTER and BEAM_WORKER_POOL (localhost:50000), for Dataflow
                GOOGLE_CLOUD_PROJECT, GOOGLE_CLOUD_REGION and SERVICE_ACCOUNT.
            engine: What runs the steps: "kubeflow" or "vertex".

        Raises:
            UserError: A variable is missing or has a value that is not allowed.
        """
        environment = ClusterEnvironment(variables)
        config = environment.config()
        asked = config.trainer.num_gpus
        check(asked == 0, "num_gpus", asked, "left out here: TRAINER_GPUS sets it")
        check(not config.gate.accept_drift, "accept_drift", True, "given to the one run it is for")
        gpus = environment.count("TRAINER_GPUS", 1)
        config = dataclasses.replace(
            config, trainer=dataclasses.replace(config.trainer, num_gpus=gpus)
        )
        image = environment.required("PIPELINE_IMAGE")
        data_root = environment.required("DATA_ROOT")
        storage = Storage.from_environment(environment, engine)
        storage.check_data("DATA_ROOT", data_root)
        root = environment.required("PIPELINE_ROOT")
        storage.check_root("PIPELINE_ROOT", root)
        root = f"{root.rstrip('/')}/{config.pipeline}"
        home = storage.home(root)
        beam_engine = _beam_engine(environment, config.pipeline, image, root)
        check(
            beam_engine.name == "direct" or (is_bucket(data_root) and is_bucket(root)),
            "BEAM_ENGINE",
            beam_engine.name,
            "direct unless DATA_ROOT and PIPELINE_ROOT are gs://, which workers on other machines "
            "can open",
        )
        return cls(
            config=config,
            deployment=Deployment(
                dataset=os.path.basename(data_root.rstrip("/")),
                input_base=data_root,
                pipeline_root=f"{root}/artifacts",
                serving_dir=f"{home}/serving",
                accepted_root=f"{home}/accepted",
                checkpoint_root=f"{home}/checkpoints",
                code=code_fingerprints(config.definition, config.schema, for_image=True),
                beam_args=beam_engine.args,
                run_time_parameters=True,
            ),
            beam_engine=beam_engine,
            image=image,
            gpu_type=environment.get("TRAINER_GPU_TYPE", "nvidia-tesla-t4"),
            placement=Placement.from_environment(environment, storage.volume),
            beam_resources=Resources(
                cpus=environment.count("BEAM_CPUS", 4),
                memory_gib=environment.count("BEAM_MEMORY_GIB", 16),
            ),
        )

    def pipeline(self) -> tfx.dsl.Pipeline:
        """Returns the DAG."""
        return create_pipeline(self.config, self.deployment)

    def resources(self, component: str) -> Resources | None:
        """Returns the resources of a component, by its id, or None for one that needs none.

        GPUs go to Trainer and Tuner, processors and memory to the Beam steps. On an engine of its
        own a step's container only waits, and needs none either.
        """
        if component in ("Trainer", "Tuner"):
            return Resources(gpus=self.config.trainer.num_gpus)
        if is_beam_step(component) and self.beam_engine.name == "direct":
            return self.beam_resources
        return None


def _beam_engine(
    environment: ClusterEnvironment, pipeline: str, image: str, root: str
) -> BeamEngine:
    name = environment.get("BEAM_ENGINE", "direct")
    options: dict[str, str] = {}
    if name == "dataflow":
        options = {
            "project": environment.required("GOOGLE_CLOUD_PROJECT"),
            "region": environment.required("GOOGLE_CLOUD_REGION"),
            "temp_location": f"{root}/tmp",
            "service_account": environment.get("SERVICE_ACCOUNT"),
        }
    elif name in ("flink", "spark"):
        options = {
            "master": environment.required("BEAM_MASTER"),
            "worker_pool": environment.get("BEAM_WORKER_POOL", "localhost:50000"),
        }
    return BeamEngine(
        name=name,
        image=image,
        pipeline=pipeline,
        max_workers=environment.count("BEAM_MAX_WORKERS", 8),
        **options,
    )
