import pytest
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
    SparkRunnerOptions,
    StandardOptions,
    WorkerOptions,
)
from tfx.utils.dependency_utils import make_beam_dependency_flags

from kubeflow.beam_engine import BeamEngine

BEAM_STEPS = ("MovieLensExampleGen", "CensusExampleGen", "StatisticsGen", "Transform", "Evaluator")
DATAFLOW = BeamEngine(
    name="dataflow",
    image="image:1",
    pipeline="ncf",
    project="project",
    region="region",
    temp_location="gs://bucket/tmp",
    service_account="worker@project.example",
    max_workers=5,
)
FLINK = BeamEngine(name="flink", image="image:1", master="flink:8081", max_workers=3)
SPARK = BeamEngine(name="spark", image="image:1", master="spark-jobs:8099", max_workers=3)


def parsed(engine, component="Transform"):
    """What Beam itself reads in the arguments; it keeps quiet about none that it does not know."""
    options = PipelineOptions(list(engine.args(component)))
    known = options.get_all_options(drop_default=True)
    assert not [name for name in known if name == "pipeline_args"]
    unknown = [
        argument
        for argument in engine.args(component)
        if argument.removeprefix("--").partition("=")[0] not in options.get_all_options()
        and argument.removeprefix("--").partition("=")[0] not in {"experiments", "labels"}
    ]
    assert not unknown
    return options


@pytest.mark.parametrize("component", BEAM_STEPS)
def test_dataflow_runs_the_image_with_runner_v2(component):
    options = parsed(DATAFLOW, component)
    cloud, worker = options.view_as(GoogleCloudOptions), options.view_as(WorkerOptions)
    assert options.view_as(StandardOptions).runner == "DataflowRunner"
    assert (cloud.project, cloud.region) == ("project", "region")
    assert cloud.temp_location == "gs://bucket/tmp"
    assert cloud.service_account_email == "worker@project.example"
    assert cloud.labels == ["pipeline=ncf", f"component={component.lower()}"]
    assert worker.sdk_container_image == "image:1"
    assert worker.max_num_workers == 5
    assert worker.machine_type.startswith("n1-")
    assert options.view_as(StandardOptions).get_all_options()["experiments"] == ["use_runner_v2"]


@pytest.mark.parametrize("engine", [FLINK, SPARK], ids=["flink", "spark"])
def test_flink_and_spark_send_work_to_the_pool_beside_them(engine):
    options = parsed(engine)
    portable = options.view_as(PortableOptions)
    assert portable.environment_type == "EXTERNAL"
    assert portable.environment_config == "localhost:50000"
    assert portable.job_server_timeout == 600


def test_flink_is_reached_at_its_master_and_spark_at_its_job_server():
    flink, spark = parsed(FLINK), parsed(SPARK)
    assert flink.view_as(StandardOptions).runner == "FlinkRunner"
    assert flink.view_as(FlinkRunnerOptions).flink_master == "flink:8081"
    assert flink.view_as(FlinkRunnerOptions).flink_submit_uber_jar
    assert spark.view_as(StandardOptions).runner == "SparkRunner"
    # What Beam sends to Spark itself, as a jar, has no counters to tell.
    assert spark.view_as(PortableOptions).job_endpoint == "spark-jobs:8099"
    assert not spark.view_as(SparkRunnerOptions).spark_submit_uber_jar


@pytest.mark.parametrize("component", ["Trainer", "Pusher", "DataGate", "CuratedSchemaGen"])
def test_other_steps_get_no_arguments(component):
    assert DATAFLOW.args(component) == ()


@pytest.mark.parametrize("component", BEAM_STEPS)
def test_direct_runs_in_the_steps_own_process(component):
    assert parsed(BeamEngine(), component).view_as(StandardOptions).runner == "FnApiRunner"


def test_no_engine_has_tfx_build_a_package_of_itself_for_each_step():
    for engine in (BeamEngine(), DATAFLOW, FLINK, SPARK):
        args = list(engine.args("Transform"))
        assert make_beam_dependency_flags(args) == args
