import io

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd_pb2
from tfx.orchestration import metadata

from pipeline.configs import preset
from pipeline.local import local_location
from pipeline.progress import Progress
from pipeline.summary import summarise_stopped

CONFIG = preset("ncf", "sample")


@pytest.fixture
def location(tmp_path):
    """A location whose metadata tell of a run, in which StatisticsGen wrote to /before."""
    place = local_location(CONFIG, "sample", str(tmp_path / "data"), str(tmp_path / "ncf"))
    connection = metadata.sqlite_metadata_connection_config(place.metadata_file)
    with metadata.Metadata(connection) as handle:
        store = handle.store
        of_run = store.put_context_type(mlmd_pb2.ContextType(name="pipeline_run"))
        of_node = store.put_context_type(mlmd_pb2.ContextType(name="node"))
        gen = store.put_execution_type(mlmd_pb2.ExecutionType(name="StatisticsGen"))
        statistics = store.put_artifact_type(mlmd_pb2.ArtifactType(name="ExampleStatistics"))
        event = mlmd_pb2.Event(type=mlmd_pb2.Event.OUTPUT)
        event.path.steps.add().key = "statistics"
        store.put_execution(
            mlmd_pb2.Execution(type_id=gen),
            [(mlmd_pb2.Artifact(type_id=statistics, uri="/before"), event)],
            [
                mlmd_pb2.Context(type_id=of_run, name="1"),
                mlmd_pb2.Context(type_id=of_node, name="ncf.StatisticsGen"),
            ],
        )
    return place


@pytest.mark.parametrize("component", [None, "StatisticsGen"])
def test_a_run_tells_of_artifacts_only_once_a_component_has_ended(location, component):
    progress = Progress(io.StringIO(), live=False)
    if component:
        progress.start(component)
        progress.finish(component, cached=False)
    progress.start("Transform")
    progress.fail()
    known = summarise_stopped(CONFIG, location, progress)
    assert known["stopped_in"] == "Transform" and known["pushed_model"] is None
    assert known["lineage"].get("statistics") == ("/before" if component else None)
