"""The jobs that Dataflow would get, and what they make on Prism."""

import functools
import json
import sys

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.prism_runner import PrismRunner
from apache_beam.runners.runner import PipelineState
from apache_beam.transforms.environments import ExternalEnvironment

from kubeflow.beam_engine import BeamEngine
from tests.kubeflow.foreign_folder import IMAGE
from tests.portable.cloud_storage import BUCKET, cloud_storage
from tests.portable.examples import assert_equal_but_for_rounding, records
from tests.portable.workplace import EXAMPLE_GENS, PIPELINES, Workplace, prism_args

TEMPLATE = "templates/job"


def stage(place, component):
    """Returns the template and the pipeline of a component's job, as DataflowRunner stages them."""
    engine = BeamEngine(
        name="dataflow",
        image=IMAGE,
        pipeline=place.pipeline,
        project="project",
        region="region",
        temp_location=f"gs://{BUCKET}/tmp",
    )
    args = [
        *engine.args(component),
        f"--template_location=gs://{BUCKET}/{TEMPLATE}",
        f"--staging_location=gs://{BUCKET}/staging",
        "--no_auth",
    ]
    with cloud_storage() as storage:
        # A template is a job for later: the run finds no result of it, now or in the next step.
        code, said = place.run([component], args, STORAGE_EMULATOR_HOST=storage.url)
        assert code != 0, said
        names = storage.names()
        assert TEMPLATE in names, said
        (staged,) = (name for name in names if name.endswith("/pipeline.pb"))
        template = storage.read(TEMPLATE).decode()
        return template, beam_runner_api_pb2.Pipeline.FromString(storage.read(staged))


def run_on_prism(pipeline, args):
    """Runs a pipeline of which nothing but the environment is changed."""
    options = PipelineOptions(args)
    address = next(each.partition("=")[2] for each in args if "environment_config" in each)
    environments = pipeline.components.environments
    for name in environments:
        environments[name].CopyFrom(ExternalEnvironment(address).to_runner_api(None))
    result = PrismRunner().run_portable_pipeline(pipeline, options)
    assert result.wait_until_finish() == PipelineState.DONE


@pytest.fixture(scope="module")
def direct(packages, tmp_path_factory):
    """Returns a function that runs a pipeline without an engine, once, and returns where."""

    @functools.cache
    def run(pipeline):
        place = Workplace(pipeline, str(tmp_path_factory.mktemp(pipeline)), packages)
        code, said = place.run([], [])
        assert code == 0, said
        return place

    return run


@pytest.mark.slow
@pytest.mark.parametrize("component", ["ExampleGen", "Transform"])
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_job_asks_for_the_image_and_makes_the_same_records(
    pipeline, component, prism, pool, workplace, direct
):
    place = workplace(pipeline)
    component = EXAMPLE_GENS[pipeline] if component == "ExampleGen" else component
    template, job = stage(place, component)

    assert place.folder not in template
    assert place.packages not in template
    assert sys.prefix not in template
    environment = json.loads(template)["environment"]
    assert "use_runner_v2" in environment["experiments"]
    (workers,) = (each for each in environment["workerPools"] if each["kind"] == "harness")
    assert workers["machineType"] == "n1-standard-4"
    assert {each["containerImage"] for each in workers["sdkHarnessContainerImages"]} == {IMAGE}

    run_on_prism(job, prism_args(prism, pool.address))
    key = "transformed_examples" if component == "Transform" else "examples"
    (made,) = place.outputs(component, key)
    (expected,) = direct(pipeline).outputs(component, key)
    found, wanted = records(made), records(expected)
    if component != "Transform":
        assert found == wanted
    for split, rows in found.items():
        assert_equal_but_for_rounding(rows, wanted[split])
