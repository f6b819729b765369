"""The command of each step on Kubeflow Pipelines 2, around TFX's own.

The backend's launcher has brought every input artifact to a local folder, and takes what lies in
the local folder of every output artifact to its URI afterwards. TFX, which would open URIs, is
given those folders in their place, and so needs no client of the object store.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from absl import logging
from tfx.dsl.io import fileio
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor as tfx_entry

from components.model_records.record import RECORD_FILE
from kubeflow.resolve_input import RESOLVED_INPUT
from kubeflow.step_end import end_step
from pipeline.exit_code import ExitCode
from transforms.base.in_process_beam import LOCAL_ARGS

_FOLDERS = {"gs://": "gcs/", "s3://": "s3/", "minio://": "minio/"}
_PUSHER = "components.pusher.executor.PusherExecutor"

_Artifact = dict[str, Any]


def main(arguments: Sequence[str], mounts: str = "/") -> ExitCode:
    """Runs a step; a mistake of a user's, or a refusal, is the last line that it writes.

    Args:
        arguments: The command line, as TFX compiles it for its own entry point.
        mounts: Where the launcher's folders are.

    Returns:
        How the step ended: one that the gates refuse ends as the command line would.
    """
    # As absl's own start would, without which the log has no more than warnings.
    logging.use_absl_handler()
    args, beam_args = tfx_entry._parse_flags(["", *arguments])
    given = json.loads(args.json_serialized_invocation_args)
    _drop_what_the_backend_added(given)
    _restore_types(given, json.loads(args.json_serialized_inputs_spec_args or "{}"))
    _put_resolved_input(given)
    # Beam's workers on other machines share no folder with this one.
    remote = [arg for arg in beam_args if arg.startswith("--runner=") and arg not in LOCAL_ARGS]
    uris = {} if remote else _enter_folders(given, mounts)
    args.json_serialized_invocation_args = json.dumps(given)
    code = end_step(lambda: tfx_entry.main((args, beam_args)))
    if code:
        return code
    _name_uris_in_record(given, uris)
    _leave_folders(given["outputs"]["outputFile"], uris)
    if args.executor_class_path == _PUSHER:
        return _tell_verdict(given)
    return ExitCode.SUCCESS


def _drop_what_the_backend_added(given: dict[str, Any]) -> None:
    """Leaves out output artifacts that the component does not have, such as executor-logs."""
    outputs = given["outputs"].get("artifacts", {})
    for key, (artifact,) in [(key, found["artifacts"]) for key, found in outputs.items()]:
        if artifact["type"].get("schemaTitle", "").startswith("system."):
            del outputs[key]


def _restore_types(given: dict[str, Any], declared: dict[str, Any]) -> None:
    """Gives input artifacts their types, which the backend does not keep."""
    for key, artifact in _artifacts(given["inputs"]):
        artifact["type"] = declared["artifacts"][key]["artifactType"]


def _put_resolved_input(given: dict[str, Any]) -> None:
    """Gives an ExampleGen what TFX's driver would have put among properties and on the output."""
    resolved = given["inputs"].get("parameterValues", {}).pop(RESOLVED_INPUT, None)
    if resolved is None:
        return
    given["inputs"]["parameterValues"]["input_config"] = resolved.pop("input_config")
    (examples,) = given["outputs"]["artifacts"]["examples"]["artifacts"]
    examples["metadata"] = {**examples.get("metadata", {}), **resolved}


def _enter_folders(given: dict[str, Any], mounts: str) -> dict[str, str]:
    """Puts local folders in the places of URIs, and returns the URIs by folder."""
    uris = {}
    for side in ("inputs", "outputs"):
        for _, artifact in _artifacts(given[side]):
            scheme, separator, path = artifact["uri"].partition("://")
            if not separator:
                continue
            folder = os.path.join(mounts, _FOLDERS[f"{scheme}://"], path)
            uris[folder] = artifact["uri"]
            artifact["uri"] = folder
            if side == "outputs":
                os.makedirs(folder, exist_ok=True)
    return uris


def _name_uris_in_record(given: dict[str, Any], uris: dict[str, str]) -> None:
    """Has a record that the step wrote name Examples by the URI that other machines know."""
    for _, artifact in _artifacts(given["outputs"]):
        path = os.path.join(artifact["uri"], RECORD_FILE)
        if artifact["uri"] not in uris or not fileio.exists(path):
            continue
        with fileio.open(path) as file:
            record = json.loads(file.read())
        data = record["data"]
        data["examples"] = uris.get(data["examples"], data["examples"])
        with fileio.open(path, "w") as file:
            file.write(json.dumps(record, indent=2, sort_keys=True))


def _leave_folders(output_file: str, uris: dict[str, str]) -> None:
    """Puts the URIs back in what TFX has written about the outputs."""
    with fileio.open(output_file) as file:
        written = json.loads(file.read())
    for _, artifact in _artifacts(written):
        artifact["uri"] = uris.get(artifact["uri"], artifact["uri"])
        artifact["metadata"] = {
            name: uris.get(value, value) if isinstance(value, str) else value
            for name, value in artifact.get("metadata", {}).items()
        }
    with fileio.open(output_file, "w") as file:
        file.write(json.dumps(written))


def _tell_verdict(given: dict[str, Any]) -> ExitCode:
    """Ends a run whose model was refused as failed, so that a scheduler can gate on its state."""
    (blessing,) = given["inputs"]["artifacts"]["model_blessing"]["artifacts"]
    with fileio.open(os.path.join(blessing["uri"], RECORD_FILE)) as file:
        reasons = json.loads(file.read())["reasons"]
    if not reasons:
        return ExitCode.SUCCESS
    print(f"refused: {'; '.join(reasons)}; nothing was pushed", file=sys.stderr)
    return ExitCode.REFUSED_BY_MODEL_GATE


def _artifacts(side: dict[str, Any]) -> Iterator[tuple[str, _Artifact]]:
    for key, found in side.get("artifacts", {}).items():
        for artifact in found["artifacts"]:
            yield key, artifact


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
