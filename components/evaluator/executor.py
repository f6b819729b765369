"""Evaluates a model, judges it by this run's bounds, and keeps a record of it."""

import json
import os
from collections.abc import Iterable

from absl import logging
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.components.evaluator import constants, executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.utils import io_utils, path_utils, proto_utils

from components.artifacts import Artifacts, Properties
from components.code import check_code
from components.evaluator import eval_model
from components.evaluator.gates import Limits
from components.evaluator.smoke_test import SmokeTest, UnservableModelError
from components.evaluator.thresholds import put_thresholds
from components.evaluator.verdict import judge, list_notes, read_evaluation, verdict_lines
from components.model_records.in_use import ServedModel, find_baseline, model_identity
from components.model_records.record import (
    INPUT_BASE,
    RECORD_FILE,
    SETTINGS,
    SPLIT,
    Record,
    installed_versions,
    why_not_comparable,
)
from transforms.base.settings import from_json


class EvaluatorExecutor(executor.Executor):
    """TFX's executor, which looks in the serving folder for what to compare a candidate with.

    Where that one was made of another data set or another split, only the bounds hold. An execution
    property with the name of a bound's setting takes its place. A model that is not measured on the
    held-out Examples is not blessed, nor one that does not answer a few of them by each of its
    signatures in a process of its own.
    """

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Evaluates the model, blesses it if it keeps the bounds, and writes the record.

        The record lies beside the verdict, in the artifact `blessing`.

        Args:
            input_dict: TFX's.
            output_dict: TFX's.
            exec_properties: TFX's, and those that `Evaluator` documents.

        Raises:
            UserError: A bound is out of range.
            UnservableModelError: The model cannot be evaluated, and gives no server an answer.
        """
        check_code(json.loads(exec_properties["code"])["evaluator"])
        compiled = from_json(Limits, exec_properties["gate"])
        limits = compiled.with_limits(exec_properties)
        key = standard_component_specs.EVAL_CONFIG_KEY
        config = config_pb2.EvalConfig()
        proto_utils.json_to_proto(exec_properties[key], config)
        put_thresholds(config, limits)

        model = artifact_utils.get_single_instance(input_dict[standard_component_specs.MODEL_KEY])
        path = path_utils.serving_model_path(model.uri)
        record = _known(input_dict, exec_properties, compiled, model_identity(path))
        parent, baseline = find_baseline(exec_properties["serving_dir"], record["identity"])
        asked = [name for spec in config.model_specs for name in spec.preprocessing_function_names]
        obstacle = _obstacle(record, path, baseline, asked) if baseline else ""
        compared = [_as_artifact(baseline)] if baseline and not obstacle else []
        with SmokeTest(path, _eval_files(input_dict)) as smoke_test:
            try:
                super().Do(
                    {**input_dict, standard_component_specs.BASELINE_MODEL_KEY: compared},
                    output_dict,
                    {
                        **exec_properties,
                        key: proto_utils.proto_to_json(config),
                        standard_component_specs.MODULE_PATH_KEY: eval_model.__name__,
                    },
                )
            except Exception as error:
                if failure := smoke_test.failure():
                    raise UnservableModelError(
                        f"{failure}; mend what exports it and run again"
                    ) from error
                raise
            failure = smoke_test.failure()

        blessing = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.BLESSING_KEY]
        )
        # Kubeflow's would look for the name of an artifact that never was one.
        for name in (
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY,
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY,
        ):
            blessing.mlmd_artifact.custom_properties.pop(name, None)
        measured = read_evaluation(
            artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY])
        )
        blessed = fileio.exists(os.path.join(blessing.uri, constants.BLESSED_FILE_NAME))
        reasons = judge(limits, measured.overall, measured.baseline)
        notes = list_notes(measured.overall)
        if obstacle and baseline:
            notes.append(
                f"not compared with model {os.path.basename(baseline.folder)}, which is in use: "
                f"{obstacle}; only the bounds hold"
            )
        if record["split"]["holdout"] != "test":
            _withhold(blessing)
            blessed, reasons = False, []
            notes.append(
                f"holdout={record['split']['holdout']}: nothing is pushed of it, since the model "
                "was denied examples and measured on others than the held-out ones"
            )
        elif not blessed and not reasons:
            reasons.append("the Evaluator did not bless the model; see its evaluation")
        if failure:
            _withhold(blessing)
            blessed, reasons = False, [*reasons, failure]
        record |= {
            "parent": parent,
            "metrics": measured.overall,
            "slices": measured.slices,
            "baseline": measured.baseline,
            "bounds": limits.by_setting(),
            "blessed": blessed,
            "reasons": reasons,
            "notes": notes,
        }
        io_utils.write_string_file(
            os.path.join(blessing.uri, RECORD_FILE), json.dumps(record, indent=2, sort_keys=True)
        )
        for line in verdict_lines(record, limits.bounds_on):
            logging.info("verdict: %s", line)


def _eval_files(input_dict: Artifacts) -> str:
    """Returns a pattern of the held-out Examples."""
    return f"{artifact_utils.get_split_uri(input_dict['examples'], 'eval')}/*"


def _known(
    input_dict: Artifacts,
    exec_properties: Properties,
    compiled: Limits,
    identity: str,
) -> Record:
    """Returns the part of a record that is known before the model is evaluated."""
    examples, model = (
        artifact_utils.get_single_instance(input_dict[key])
        for key in (standard_component_specs.EXAMPLES_KEY, standard_component_specs.MODEL_KEY)
    )
    return {
        "pipeline": exec_properties["pipeline"],
        "dataset": exec_properties["dataset"],
        "split": json.loads(examples.get_string_custom_property(SPLIT)),
        "data": {
            "folder": examples.get_string_custom_property(INPUT_BASE),
            "fingerprint": examples.get_string_custom_property("input_fingerprint"),
            "examples": examples.uri,
        },
        "settings": {
            "data": json.loads(examples.get_string_custom_property(SETTINGS)),
            "trainer": json.loads(model.get_string_custom_property(SETTINGS)),
            "gate": {"max_regression": compiled.max_regression, **compiled.by_setting()},
        },
        "identity": identity,
        "code": json.loads(exec_properties["code"]),
        "versions": installed_versions(),
    }


def _obstacle(record: Record, path: str, baseline: ServedModel, asked: Iterable[str]) -> str:
    """Returns what keeps the candidate in `path` from being compared with `baseline`, or "".

    Args:
        record: The candidate's, as far as it is known.
        path: The candidate's folder.
        baseline: What to compare it with.
        asked: Signatures that the Evaluator calls besides the one that scores.
    """
    if baseline.record is None:
        return "it has no record of what it was made of"
    candidate, known = _tensors(path), _tensors(baseline.folder)
    for key, tensor in known.items():
        if candidate.get(key, tensor) != tensor:
            return f"it takes or gives {key[1]} of another type or shape"
    for name in {*asked} - {signature for signature, _ in known}:
        return f"it has no signature {name}, by which models are measured now"
    return why_not_comparable(record, baseline.record)


def _as_artifact(model: ServedModel) -> types.Artifact:
    artifact = standard_artifacts.Model()
    artifact.uri = model.folder
    return artifact


def _withhold(blessing: types.Artifact) -> None:
    path = os.path.join(blessing.uri, constants.BLESSED_FILE_NAME)
    if fileio.exists(path):
        fileio.remove(path)
        io_utils.write_string_file(os.path.join(blessing.uri, constants.NOT_BLESSED_FILE_NAME), "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY, constants.NOT_BLESSED_VALUE
    )


def _tensors(folder: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Returns type and rank of each input and output, by the names of its signature and itself."""
    with fileio.open(os.path.join(folder, "saved_model.pb"), "rb") as file:
        saved_model = saved_model_pb2.SavedModel.FromString(file.read())
    return {
        (signature, name): (tensor.dtype, len(tensor.tensor_shape.dim))
        for graph in saved_model.meta_graphs
        for signature, definition in graph.signature_def.items()
        for name, tensor in (*definition.inputs.items(), *definition.outputs.items())
    }
