"""DataGate: data that do not fit stop the run before anything is trained on them."""

import os

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx import v1 as tfx
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.experimental import simple_artifacts
from tfx.utils import io_utils

from components.data_gate.errors import DataGateError
from components.data_gate.previous import DATASET, SOURCE

__all__ = ["DataGate"]

_STATISTICS_FILE = "FeatureStats.pb"


@tfx.dsl.components.component
def DataGate(  # noqa: D417
    anomalies: tfx.dsl.components.InputArtifact[standard_artifacts.ExampleAnomalies],
    statistics: tfx.dsl.components.InputArtifact[standard_artifacts.ExampleStatistics],
    schema: tfx.dsl.components.InputArtifact[standard_artifacts.Schema],
    accepted: tfx.dsl.components.OutputArtifact[simple_artifacts.Statistics],
    dataset: tfx.dsl.components.Parameter[str],
    accept_drift: tfx.dsl.components.Parameter[int],
    code: tfx.dsl.components.Parameter[str],
    previous: tfx.dsl.components.InputArtifact[simple_artifacts.Statistics] = None,
) -> None:
    """Lets the run go on only when the data fit the schema and resemble those accepted before.

    ExampleValidator reports and never stops a run, and TFX gives it no earlier statistics, so that
    the schema's drift and skew comparators would go unread. Make what must not run on refused
    data depend on this component with `add_upstream_node`.

    Args:
        anomalies: ExampleValidator's findings, a file for each split.
        statistics: What they were found in.
        schema: Its drift comparators bound the distance of each split from the previous one, its
            skew comparators that of train from eval.
        dataset: The data set's name: only data of one name are compared.
        accept_drift: 1 compares with nothing, and what passes is what later data resemble.
        code: Fingerprint of this component's sources; nothing reads it, but TFX's cache sees it.
        previous: The statistics that were accepted last; none the first time.

    Component `outputs` contains:
     - `accepted`: Channel of type `simple_artifacts.Statistics` with a copy of `statistics`, and
       the custom properties `dataset` and `source`, the URI of what it is a copy of.

    Raises:
        DataGateError: The data are refused; the message names each feature and reason.
    """
    splits = artifact_utils.decode_split_names(statistics.split_names)
    findings = []
    for split in splits:
        path = os.path.join(artifact_utils.get_split_uri([anomalies], split), "SchemaDiff.pb")
        with fileio.open(path, "rb") as file:
            findings += _findings(split, anomalies_pb2.Anomalies.FromString(file.read()))
    if findings:
        advice = "correct them, or extend the trainer's schema.pbtxt if they are right"
        raise DataGateError.of([f"the data do not fit the schema; {advice}", *findings])

    expected = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema.uri))
    current = {split: _load(artifact_utils.get_split_uri([statistics], split)) for split in splits}
    earlier = {}
    if previous is not None and not accept_drift:
        earlier = {split: _load(_split_folder(previous, split)) for split in splits}
    for split in splits:
        found = tfdv.validate_statistics(
            current[split],
            expected,
            previous_statistics=earlier.get(split),
            serving_statistics=current["eval"] if split == "train" else None,
        )
        findings += _findings(split, found)
    if findings:
        what = "the data differ too much from those accepted before, or train from eval"
        advice = "if that is meant, run with accept_drift=true"
        raise DataGateError.of([f"{what}; {advice}", *findings])
    accepted.set_string_custom_property(DATASET, dataset)
    accepted.set_string_custom_property(SOURCE, statistics.uri)
    for split in splits:
        target = _split_folder(accepted, split)
        fileio.makedirs(target)
        source = os.path.join(artifact_utils.get_split_uri([statistics], split), _STATISTICS_FILE)
        fileio.copy(source, os.path.join(target, _STATISTICS_FILE))


def _split_folder(accepted: types.Artifact, split: str) -> str:
    return os.path.join(accepted.uri, f"Split-{split}")


def _load(folder: str) -> object:
    return tfdv.load_stats_binary(os.path.join(folder, _STATISTICS_FILE))


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
