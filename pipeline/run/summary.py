"""What a run did, gathered from ML Metadata."""

import dataclasses
import json
import os
from typing import Any

import ml_metadata as mlmd
from absl import logging
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from components.example_gen.executor import READ_AS, quarantine_file
from components.model_records.record import RECORD_FILE, Record, compared_with, installed_versions
from components.training.loop import HISTORY_FILE
from components.tuning.executor import METRIC
from pipeline.config import Deployment, PipelineConfig
from pipeline.run.notes import data_notes
from pipeline.run.progress import Progress
from pipeline.settings import PARTS
from transforms.base.settings import to_json

# Int properties that TFX itself puts on an Examples artifact.
_NOT_COUNTERS = ("span", "version", "is_external")
_LINEAGE = {
    "statistics": ("StatisticsGen", "statistics"),
    "anomalies": ("ExampleValidator", "anomalies"),
    "model": ("Trainer", "model"),
    "recommendations": ("BulkRecommender", "inference_result"),
}
_Outputs = dict[tuple[str, str], metadata_store_pb2.Artifact]


def summarise(
    config: PipelineConfig, deployment: Deployment, progress: Progress
) -> tuple[dict[str, Any], Record]:
    """Returns the summary of the latest run, and the record of its model, which has the verdict.

    Its notes are those of the record and those on the data.

    Args:
        config: The run's settings.
        deployment: The run's folders; its metadata file tells of the artifacts.
        progress: Times by component.
    """
    outputs = _latest_outputs(deployment.metadata_file or "")
    path = os.path.join(outputs["Evaluator", "blessing"].uri, RECORD_FILE)
    with open(path, encoding="utf-8") as file:
        record: Record = json.load(file)
    pushed = outputs["Pusher", "pushed_model"].custom_properties
    summary = _known(config, deployment, progress, outputs)
    version = compared_with(record)
    summary["lineage"]["baseline_model"] = version and os.path.join(deployment.serving_dir, version)
    shown = ("metrics", "slices", "baseline", "bounds", "blessed", "reasons")
    summary |= {name: record[name] for name in shown}
    of_data = data_notes(summary.get("counters", {}), summary.get("read_as", ()))
    summary["notes"] = [*record["notes"], *of_data]
    summary["pushed_model"] = (
        pushed["pushed_destination"].string_value if pushed["pushed"].int_value else None
    )
    return summary, record


def summarise_stopped(
    config: PipelineConfig, deployment: Deployment, progress: Progress
) -> dict[str, Any]:
    """Returns what is known of the latest run when a component of it failed.

    Args:
        config: As in `summarise`.
        deployment: As in `summarise`.
        progress: Times by component; with none that ended, the run left no artifacts.
    """
    known = [name for name in progress.seconds if name != progress.failed]
    stopped = {"stopped_in": progress.failed, "blessed": False, "pushed_model": None}
    try:
        # Before its first component a run is not in the metadata, and the latest there is older.
        outputs = _latest_outputs(deployment.metadata_file or "") if known else {}
        return {**stopped, **_known(config, deployment, progress, outputs)}
    except Exception:
        # What ended the run may have spoilt the metadata or an artifact too.
        logging.exception("what the run made is not in its summary")
        return {**stopped, **_known(config, deployment, progress, {})}


def _known(
    config: PipelineConfig, deployment: Deployment, progress: Progress, outputs: _Outputs
) -> dict[str, Any]:
    """Returns the part of the summary that the outputs tell, be they of a part of the DAG."""
    summary: dict[str, Any] = {
        "seconds": progress.seconds,
        "cached": progress.cached,
        "settings": {part: json.loads(to_json(getattr(config, part))) for part in PARTS},
        "lineage": {
            **{key: outputs[output].uri for key, output in _LINEAGE.items() if output in outputs},
            "code": dataclasses.asdict(deployment.code),
        },
        "versions": installed_versions(),
    }
    for (node, key), artifact in outputs.items():
        if node.endswith("ExampleGen") and key == "examples":
            properties = artifact.custom_properties
            summary["lineage"]["examples"] = artifact.uri
            summary["lineage"]["data_fingerprint"] = properties["input_fingerprint"].string_value
            summary["read_as"] = properties[READ_AS].string_value.splitlines()
            quarantined = properties["quarantined"].int_value
            summary["quarantine"] = quarantine_file(artifact.uri) if quarantined else None
            summary["counters"] = {
                name: value.int_value
                for name, value in sorted(properties.items())
                if value.WhichOneof("value") == "int_value" and name not in _NOT_COUNTERS
            }
        elif (node, key) == ("Trainer", "model_run"):
            with open(os.path.join(artifact.uri, HISTORY_FILE), encoding="utf-8") as file:
                history = json.load(file)
            summary["examples_per_second"] = history["examples_per_second"]
            summary["epochs"] = history["epochs"]
        elif (node, key) == ("Tuner", "tuner_results"):
            summary["tuning"] = _tuning(artifact)
            summary["settings"]["trainer"] |= summary["tuning"]["chosen"]
    return summary


def _tuning(results: metadata_store_pb2.Artifact) -> dict[str, Any]:
    """Returns the metric, what each trial scored with which settings, and which was chosen."""
    with open(os.path.join(results.uri, "tuner_results.json"), encoding="utf-8") as file:
        best_first = [
            {
                "trial": int(row.pop("trial_id")) + 1,
                "score": row.pop("score"),
                "settings": row,
            }
            for row in json.load(file)
        ]
    return {
        "metric": results.custom_properties[METRIC].string_value,
        "trials": sorted(best_first, key=lambda trial: trial["trial"]),
        "best_trial": best_first[0]["trial"],
        "chosen": best_first[0]["settings"],
    }


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
