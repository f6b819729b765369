"""Runs a pipeline in this process with TFX's BeamDagRunner, reporting each component.

All that depends on how TFX's runner is built inside stands here.
"""

from ml_metadata import ListOptions, OrderByField
from ml_metadata.proto import metadata_store_pb2
from tfx import v1 as tfx
from tfx.orchestration import metadata
from tfx.orchestration.beam import beam_dag_runner

from pipeline.run.progress import Progress
from transforms.base import in_process_beam

# Beam hands a copy of the node to another thread; the progress to report to is this process's.
_progress: Progress | None = None


class _ReportingNode(beam_dag_runner.PipelineNodeAsDoFn):
    """A node that tells when it starts and ends."""

    def _run_node(self) -> None:
        assert _progress is not None
        _progress.start(self._node_id)
        super()._run_node()
        with metadata.Metadata(self._mlmd_connection_config) as handle:
            latest = handle.store.get_executions(
                ListOptions(limit=1, order_by=OrderByField.ID, is_asc=False)
            )
        state = latest[0].last_known_state if latest else None
        _progress.finish(self._node_id, cached=state == metadata_store_pb2.Execution.State.CACHED)


class _ReportingRunner(beam_dag_runner.BeamDagRunner):
    """BeamDagRunner over reporting nodes."""

    _PIPELINE_NODE_DO_FN_CLS = _ReportingNode


def run_pipeline(pipeline: tfx.dsl.Pipeline, progress: Progress) -> None:
    """Runs every component that TFX's cache does not answer for.

    Raises:
        Exception: What a component raised, as Beam passes it on.
    """
    global _progress
    in_process_beam.make_default()
    _progress = progress
    try:
        _ReportingRunner().run(pipeline)
    finally:
        _progress = None
