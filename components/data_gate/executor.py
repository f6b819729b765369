"""Refuses data, or lets them pass; the first, and those with drift that is meant, are a measure."""

import os
from importlib import resources

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList as Statistics
from tfx import types
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.artifacts import Artifacts, Properties
from components.code import check_code
from components.curated_schema_gen.component import SOURCE
from components.data_gate.accepted import AcceptedStatistics, read_statistics
from components.data_gate.errors import DataGateError
from transforms.base.settings import OneOf


class DataGateExecutor(BaseExecutor):
    """The executor of DataGate."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Accepts the data or raises.

        Args:
            input_dict: `anomalies`, `statistics` and `schema`.
            output_dict: `accepted`.
            exec_properties: As `DataGate` documents them.

        Raises:
            DataGateError: The data are refused; the message names each feature and reason.
            UserError: `accept_drift` is neither 0 nor 1.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        check_code(exec_properties["code"])
        accept_drift = exec_properties["accept_drift"]
        OneOf("0", "1").check("accept_drift", str(accept_drift))
        (anomalies,), (statistics,), (schema,), (output,) = (
            *(input_dict[key] for key in ("anomalies", "statistics", "schema")),
            output_dict["accepted"],
        )
        current = read_statistics(statistics)
        expected = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema.uri))

        _refuse(
            f"the data do not fit the schema; correct them, or extend {_source(schema)} if they "
            "are right",
            _schema_findings(anomalies, [dataset.name for dataset in current.datasets]),
        )
        accepted = AcceptedStatistics(exec_properties["accepted_root"], exec_properties["dataset"])
        before = accepted.before(current)
        if not accept_drift and not accepted.holds(current):
            _refuse(
                "train differs too much from eval; divide all rows at random, and bring more if "
                "they are few, or, if that is meant, run once with accept_drift=1",
                _skew_findings(current, expected),
            )
            _refuse(
                "the data differ too much from those accepted before; if that is meant, run once "
                "with accept_drift=1",
                _drift_findings(current, accepted.read(before), expected) if before else [],
            )
        if accept_drift or not accepted.names():
            accepted.accept(current)
        path = os.path.join(output.uri, "FeatureStats.pb")
        io_utils.write_bytes_file(path, current.SerializeToString())


def _source(schema: types.Artifact) -> str:
    """Returns where a schema is kept, if its artifact tells."""
    package, _, file = schema.get_string_custom_property(SOURCE).partition(":")
    return str(resources.files(package) / file) if package else "the schema"


def _refuse(why: str, findings: list[str]) -> None:
    if findings:
        raise DataGateError.of([why, *findings])


def _schema_findings(anomalies: types.Artifact, splits: list[str]) -> list[str]:
    findings = []
    for split in splits:
        path = os.path.join(artifact_utils.get_split_uri([anomalies], split), "SchemaDiff.pb")
        with fileio.open(path, "rb") as file:
            findings += _findings(split, anomalies_pb2.Anomalies.FromString(file.read()))
    return findings


def _skew_findings(current: Statistics, expected: schema_pb2.Schema) -> list[str]:
    split = _by_split(current)
    found = tfdv.validate_statistics(split["train"], expected, serving_statistics=split["eval"])
    return _findings("train", found)


def _drift_findings(
    current: Statistics,
    before: Statistics,
    expected: schema_pb2.Schema,
) -> list[str]:
    earlier = _by_split(before)
    findings = []
    for split, statistics in _by_split(current).items():
        found = tfdv.validate_statistics(
            statistics, expected, previous_statistics=earlier.get(split)
        )
        findings += _findings(split, found)
    return findings


def _by_split(statistics: Statistics) -> dict[str, Statistics]:
    return {dataset.name: Statistics(datasets=[dataset]) for dataset in statistics.datasets}


def _findings(split: str, anomalies: anomalies_pb2.Anomalies) -> list[str]:
    findings = []
    if anomalies.data_missing:
        findings.append(f"{split}: no examples")
    if anomalies.HasField("dataset_anomaly_info"):
        findings.append(f"{split}: {anomalies.dataset_anomaly_info.description}")
    findings += [
        f"{split}: {feature}: {info.description}"
        for feature, info in sorted(anomalies.anomaly_info.items())
    ]
    return [" ".join(finding.split()) for finding in findings]
