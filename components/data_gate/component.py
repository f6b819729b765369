"""DataGate: anomalies against the schema stop the run before anything is trained on them."""

import os

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import v1 as tfx
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts

from components.data_gate.errors import DataGateError

__all__ = ["DataGate"]


@tfx.dsl.components.component
def DataGate(  # noqa: D417
    anomalies: tfx.dsl.components.InputArtifact[standard_artifacts.ExampleAnomalies],
    verdict: tfx.dsl.components.OutputArtifact[standard_artifacts.String],
) -> None:
    """Lets the run go on only when ExampleValidator found nothing in any split.

    ExampleValidator reports and never stops a run. Make what must not run on refused data depend
    on this component with `add_upstream_node`.

    Args:
        anomalies: ExampleValidator's findings, a file for each split.

    Component `outputs` contains:
     - `verdict`: Channel of type `standard_artifacts.String` with the splits that passed. It is
       there so that TFX can cache this component.

    Raises:
        DataGateError: A split has anomalies; the message names each feature and reason.
    """
    splits = artifact_utils.decode_split_names(anomalies.split_names)
    findings = []
    for split in splits:
        path = os.path.join(artifact_utils.get_split_uri([anomalies], split), "SchemaDiff.pb")
        with fileio.open(path, "rb") as file:
            found = anomalies_pb2.Anomalies.FromString(file.read())
        if found.data_missing:
            findings.append(f"{split}: no examples")
        if found.HasField("dataset_anomaly_info"):
            findings.append(f"{split}: {found.dataset_anomaly_info.description}")
        findings += [
            f"{split}: {feature}: {info.description}"
            for feature, info in sorted(found.anomaly_info.items())
        ]
    if findings:
        raise DataGateError(
            "the data do not fit the schema: " + " | ".join(" ".join(f.split()) for f in findings)
        )
    verdict.value = f"passed: {', '.join(splits)}"
