"""The command of the step that looks for an ExampleGen's input on Kubeflow Pipelines 2.

TFX's driver does that before an engine asks its cache, and Kubeflow Pipelines runs no drivers of
TFX. As a step of its own, which is never taken from the cache, it gives the ExampleGen a parameter:
what is cached from there on follows from the files as they are.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from components.example_gen.input_processor import ContentsInputProcessor
from kubeflow.step_end import end_step
from kubeflow.storage import is_bucket
from pipeline.exit_code import ExitCode
from transforms.base.errors import UserError
from transforms.base.settings import check

RESOLVED_INPUT = "resolved_input"
"""Name of the step's output parameter, and of the ExampleGen's input parameter."""


def main(arguments: Sequence[str]) -> ExitCode:
    """Writes `span`, `input_fingerprint`, `input_config` and, if there is one, `version`.

    Args:
        arguments: The executor's input as JSON, of which `input_base` and `input_config` are read.

    Returns:
        How the step ended: an input that is not there, or where no step can read, is a mistake
        of its user's.
    """
    (text,) = arguments
    return end_step(lambda: _write_resolved(json.loads(text)))


def _write_resolved(given: dict[str, Any]) -> None:
    resolved = _resolve(given["inputs"]["parameterValues"])
    outputs = {"parameterValues": {RESOLVED_INPUT: resolved}}
    path = given["outputs"]["outputFile"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(outputs, file)


def _resolve(properties: dict[str, Any]) -> dict[str, Any]:
    input_config = example_gen_pb2.Input()
    proto_utils.json_to_proto(properties[standard_component_specs.INPUT_CONFIG_KEY], input_config)
    base = properties[standard_component_specs.INPUT_BASE_KEY]
    # A run-time parameter that no compiler has seen.
    rule = "gs://bucket/folder or a folder of PIPELINE_VOLUME: steps can read nowhere else"
    check(is_bucket(base) or os.path.isabs(base), "data_root", base, rule)
    processor = ContentsInputProcessor(base, input_config.splits)
    try:
        span, version = processor.resolve_span_and_version()
    except ValueError as error:
        patterns = ", ".join(os.path.join(base, split.pattern) for split in input_config.splits)
        raise UserError(f"{patterns}: {error}; put the files there") from error
    for split in input_config.splits:
        split.pattern = processor.get_pattern_for_span_version(split.pattern, span, version)
    return {
        "span": span,
        **({} if version is None else {"version": version}),
        "input_fingerprint": processor.get_input_fingerprint(span, version),
        "input_config": proto_utils.proto_to_json(input_config),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
