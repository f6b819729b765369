import io

import pytest
from apache_beam.options.pipeline_options import StandardOptions
from tfx import v1 as tfx
from tfx.orchestration import metadata

from pipeline.run import dag_runner
from pipeline.run.progress import Progress
from transforms.base.in_process_beam import LOCAL_RUNNER


@pytest.mark.parametrize("fault", [None, RuntimeError("in a component")])
def test_beam_stays_in_this_process_and_progress_is_told_while_it_runs(fault, monkeypatch):
    def run(self, pipeline):
        assert dag_runner._progress is shown
        assert StandardOptions.DEFAULT_RUNNER == LOCAL_RUNNER
        if fault:
            raise fault

    monkeypatch.setattr(StandardOptions, "DEFAULT_RUNNER", "DirectRunner")
    monkeypatch.setattr(dag_runner._ReportingRunner, "run", run)
    shown = Progress(io.StringIO(), live=False)
    if fault:
        with pytest.raises(RuntimeError, match="in a component"):
            dag_runner.run_pipeline(None, shown)
    else:
        dag_runner.run_pipeline(None, shown)
    assert dag_runner._progress is None


@tfx.dsl.components.component
def Make(made: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.Examples]):
    pass


@tfx.dsl.components.component
def Take(
    made: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Examples],
    fail: tfx.dsl.components.Parameter[int],
):
    if fail:
        raise RuntimeError("in Take")


@pytest.fixture
def run_two(tmp_path):
    """Returns a function that runs Make and Take, and lets Progress know."""

    def run(shown, fail):
        make = Make()
        take = Take(made=make.outputs["made"], fail=fail)
        connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
        pipeline = tfx.dsl.Pipeline(
            pipeline_name="two",
            pipeline_root=str(tmp_path / "artifacts"),
            components=[make, take],
            enable_cache=True,
            metadata_connection_config=connection,
        )
        dag_runner.run_pipeline(pipeline, shown)

    return run


def test_each_component_is_told_of_as_it_starts_and_as_it_ends(run_two):
    stream = io.StringIO()
    first, failed = (Progress(stream, live=False) for _ in range(2))
    run_two(first, fail=0)
    assert first.seconds.keys() == {"Make", "Take"}
    assert first.cached == [] and first.running is None
    with pytest.raises(RuntimeError, match="in Take"):
        run_two(failed, fail=1)
    assert failed.cached == ["Make"] and failed.running == "Take"
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["Make", "Take", "Make"]
