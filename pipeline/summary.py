"""What a run did, gathered from ML Metadata."""

import dataclasses
import importlib.metadata
import json
import os
import platform
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from components.example_gen.executor import quarantine_file
from components.training.loop import HISTORY_FILE
from pipeline.configs import Location, PipelineConfig
from pipeline.progress import Progress
from pipeline.verdict import Verdict, judge
from transforms.checks import to_json

__all__ = ["summarise"]

# Int properties that TFX itself puts on an Examples artifact.
_NOT_COUNTERS = ("span", "version", "is_external")
_PACKAGES = ("tfx", "tensorflow", "tensorflow-model-analysis", "apache-beam")
_Outputs = dict[tuple[str, str], metadata_store_pb2.Artifact]


def summarise(
    config: PipelineConfig, location: Location, progress: Progress
) -> tuple[dict[str, Any], Verdict]:
    """Returns the summary of the latest run and the verdict that it holds.

    Args:
        config: The run's settings.
        location: The run's folders; its metadata file tells of the artifacts.
        progress: Times by component.
    """
    outputs = _latest_outputs(location.metadata_file or "")
    blessing = outputs["Evaluator", "blessing"]
    blessed = blessing.custom_properties["blessed"].int_value == 1
    verdict = judge(config, outputs["Evaluator", "evaluation"].uri, blessed)
    pushed = outputs["Pusher", "pushed_model"].custom_properties
    examples = next(
        artifact
        for (node, key), artifact in outputs.items()
        if node.endswith("ExampleGen") and key == "examples"
    )
    history_path = os.path.join(outputs["Trainer", "model_run"].uri, HISTORY_FILE)
    with open(history_path, encoding="utf-8") as file:
        history = json.load(file)
    quarantined = examples.custom_properties["quarantined"].int_value
    summary = {
        "metrics": verdict.metrics,
        "slices": verdict.slices,
        "baseline": verdict.baseline,
        "bounds": {bound.setting: bound.limit for bound in config.gate.bounds()},
        "blessed": verdict.blessed,
        "reasons": verdict.reasons,
        "pushed_model": (
            pushed["pushed_destination"].string_value if pushed["pushed"].int_value else None
        ),
        "seconds": progress.seconds,
        "cached": progress.cached,
        "examples_per_second": history["examples_per_second"],
        "epochs": history["epochs"],
        "counters": {
            name: value.int_value
            for name, value in sorted(examples.custom_properties.items())
            if value.WhichOneof("value") == "int_value" and name not in _NOT_COUNTERS
        },
        "quarantine": quarantine_file(examples.uri) if quarantined else None,
        "settings": {
            part: json.loads(to_json(getattr(config, part))) for part in ("data", "trainer", "gate")
        },
        "lineage": {
            "examples": examples.uri,
            "statistics": outputs["StatisticsGen", "statistics"].uri,
            "anomalies": outputs["ExampleValidator", "anomalies"].uri,
            "model": outputs["Trainer", "model"].uri,
            "baseline_model": blessing.custom_properties["baseline_model"].string_value or None,
            "data_fingerprint": examples.custom_properties["input_fingerprint"].string_value,
            "code": dataclasses.asdict(location.code),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
    }
    return summary, verdict


def _latest_outputs(metadata_file: str) -> _Outputs:
    """Returns the output artifacts of the latest run by component and output key."""
    connection = metadata.sqlite_metadata_connection_config(metadata_file)
    with metadata.Metadata(connection) as handle:
        store: mlmd.MetadataStore = handle.store
        run = max(store.get_contexts_by_type("pipeline_run"), key=lambda context: context.id)
        nodes = {}
        for execution in store.get_executions_by_context(run.id):
            for context in store.get_contexts_by_execution(execution.id):
                if context.type == "node":
                    nodes[execution.id] = context.name.partition(".")[2]
        written = [
            event
            for event in store.get_events_by_execution_ids(list(nodes))
            if event.type == metadata_store_pb2.Event.OUTPUT
        ]
        artifacts = {
            artifact.id: artifact
            for artifact in store.get_artifacts_by_id([event.artifact_id for event in written])
        }
    return {
        (nodes[event.execution_id], event.path.steps[0].key): artifacts[event.artifact_id]
        for event in written
    }
