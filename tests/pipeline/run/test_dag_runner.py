import io

import pytest
from apache_beam.options.pipeline_options import StandardOptions

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
