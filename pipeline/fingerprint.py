"""The fingerprints of a pipeline's sources, by component."""

from dataclasses import dataclass

from components.code import fingerprint, image_fingerprint, source_file
from pipeline.parts import Parts
from transforms.base.digest import digest

__all__ = ["CodeFingerprints", "code_fingerprints"]


@dataclass(frozen=True, kw_only=True)
class CodeFingerprints:
    """A fingerprint for each component that runs our code, and of the curated schema."""

    schema: str
    example_gen: str
    data_gate: str
    transform: str
    trainer: str
    evaluator: str


def code_fingerprints(parts: Parts, schema: str, *, for_image: bool = False) -> CodeFingerprints:
    """Returns the fingerprints of a pipeline's sources, read from disk and not imported.

    Each is of the modules that TFX is given by name and of all of ours that they import.

    Args:
        parts: The pipeline's.
        schema: The name of the curated schema in the trainer's package.
        for_image: Whether steps run in an image, and check that its sources are these.
    """
    of = image_fingerprint if for_image else fingerprint
    return CodeFingerprints(
        schema=digest(source_file(parts.trainer).with_name(schema).read_bytes()),
        example_gen=of(f"{parts.example_gen}.component"),
        data_gate=of("components.data_gate.component"),
        transform=of(parts.module("preprocessing")),
        trainer=of(
            parts.module("trainer"),
            parts.module("tuner"),
            "components.training.component",
            "components.tuning.component",
        ),
        evaluator=of("components.evaluator.component", "components.ranking_metrics.metrics"),
    )
