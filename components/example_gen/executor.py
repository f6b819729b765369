"""The base of executors that make tf.Examples of record batches."""

import abc
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import apache_beam as beam
import pyarrow as pa
from absl import logging
from apache_beam.runners.runner import PipelineResult
from google.protobuf import wrappers_pb2
from tfx.components.example_gen import write_split
from tfx.components.util import examples_utils
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.artifacts import Artifacts, Properties
from components.code import check_code
from components.model_records.record import INPUT_BASE, SETTINGS, SPLIT
from transforms.base.errors import UserError
from transforms.base.settings import from_json, override
from transforms.parsing.file_names import folder_of, pattern_in
from transforms.write_examples import WriteExamples

SPLITS = ("train", "eval")
READ_AS = "read_as"
"""Name of the string custom property that tells, a line for each file, what was taken for what."""

RUN_SETTINGS = ("seed",)
"""Settings that may be execution properties of their own, which an engine fills in for a run."""


class ColumnarExecutor(BaseBeamExecutor, abc.ABC):
    """Writes the splits that `build` makes as gzipped TFRecords of tf.Examples.

    Attributes:
        CONFIG: The class of its settings, whose `split_identity` gives those that decide what is
            held out.
        COUNTERS: Names of the Beam counters that become int custom properties of the artifact, and
            of distributions whose greatest value does.
        read_as: What `build` took for what, a line for each file.
        REQUIRED: Those of them that a useful result leaves above 0, each with what is to be said if
            it does not; settings and counters may stand in braces.
    """

    read_as: Sequence[str] = ()

    CONFIG: type[Any]
    COUNTERS: tuple[str, ...]
    REQUIRED: ClassVar[Mapping[str, str]]

    @abc.abstractmethod
    def build(
        self, pipeline: beam.Pipeline, pattern: str, config: Any, quarantine: str
    ) -> dict[str, beam.PCollection[pa.RecordBatch]]:
        """Returns the batches of each split, as `WriteExamples` takes them.

        Args:
            pipeline: Where to read.
            pattern: A glob of the input files.
            config: Of the class CONFIG.
            quarantine: The file for malformed rows, if there are any and `max_bad_rows`, a
                setting, allows them.
        """

    def split_identity(self, config: Any) -> dict[str, Any]:
        """Returns the settings that decide what is held out, once `build` has looked at the input.

        Args:
            config: Of the class CONFIG.
        """
        identity: dict[str, Any] = config.split_identity()
        return identity

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Makes the Examples and puts counters and settings on their artifact.

        Args:
            input_dict: Empty.
            output_dict: `examples`: the artifact to fill.
            exec_properties: `input_base`, `input_config` and `custom_config`, as a
                ColumnarExampleGen packs them, and values of any RUN_SETTINGS.

        Raises:
            UserError: The input is missing or malformed, or nothing is left of it.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        pattern, settings = _pattern(exec_properties), _settings(exec_properties)
        check_code(settings["code"])
        config = from_json(self.CONFIG, settings["config"])

        pipeline = self._make_beam_pipeline()
        splits = self.build(pipeline, pattern, config, quarantine_file(examples.uri))
        for split, batches in splits.items():
            directory = artifact_utils.get_split_uri([examples], split)
            batches | f"Write[{split}]" >> WriteExamples(directory)
        result = pipeline.run()
        result.wait_until_finish()

        counters = _read_counters(result, self.COUNTERS)
        logging.info("Examples of %s: %s", pattern, counters)
        known = {**json.loads(settings["config"]), **counters}
        for name, sentence in self.REQUIRED.items():
            if not counters[name]:
                raise UserError(
                    f"{pattern}: {sentence.format_map(known)}; change that, or bring more data "
                    f"({_shown(counters)})"
                )
        for name, count in counters.items():
            examples.set_int_custom_property(name, count)
        for name, text in {
            INPUT_BASE: folder_of(exec_properties[standard_component_specs.INPUT_BASE_KEY]),
            SETTINGS: settings["config"],
            SPLIT: json.dumps(self.split_identity(config), sort_keys=True),
            READ_AS: "\n".join(self.read_as),
        }.items():
            examples.set_string_custom_property(name, text)
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(
            examples, write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP)
        )


def quarantine_file(examples_uri: str) -> str:
    """Returns the file of malformed rows in an Examples artifact, beside the splits' folders.

    It is there if the artifact's counter `quarantined` is above 0.
    """
    return os.path.join(examples_uri, "Quarantine", "bad_rows.jsonl")


def _shown(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _pattern(exec_properties: Properties) -> str:
    input_config = example_gen_pb2.Input()
    proto_utils.json_to_proto(
        exec_properties[standard_component_specs.INPUT_CONFIG_KEY], input_config
    )
    base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    return pattern_in(base, input_config.splits[0].pattern)


def _settings(exec_properties: Properties) -> dict[str, str]:
    custom_config = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(
        exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], custom_config
    )
    packed = wrappers_pb2.StringValue()
    custom_config.custom_config.Unpack(packed)
    settings = json.loads(packed.value)
    return {**settings, "config": override(settings["config"], RUN_SETTINGS, exec_properties)}


def _read_counters(result: PipelineResult, names: tuple[str, ...]) -> dict[str, int]:
    counters = dict.fromkeys(names, 0)
    metrics = result.metrics().query()
    for counter in metrics["counters"]:
        if counter.key.metric.name in counters:
            # Of a committed 0 Beam makes the attempted count, which portable runners leave out.
            counters[counter.key.metric.name] += counter.result or 0
    for distribution in metrics["distributions"]:
        name = distribution.key.metric.name
        if name in counters and distribution.result:
            counters[name] = max(counters[name], distribution.result.max)
    return counters
