"""Fingerprints of our sources, which make TFX's cache see a change in code.

TFX's cache key holds the dotted name of a `run_fn` or an executor, not what it does. A fingerprint
among a component's settings closes that gap, and only for the components whose code changed.
"""

import hashlib
import importlib.util
import pathlib
from dataclasses import dataclass
from importlib import resources

from pipeline.parts import Parts

__all__ = ["CodeFingerprints", "code_fingerprints"]

_SHARED_BY_GENERATORS = ("transforms", "components.example_gen")
_SHARED_BY_TRAINERS = (
    "transforms.checks",
    "transforms.hashing",
    "transforms.sample_negatives",
    "components.training",
    "components.tuning",
)


@dataclass(frozen=True, kw_only=True)
class CodeFingerprints:
    """A fingerprint for each component that runs our code, and of the curated schema."""

    schema: str
    example_gen: str
    data_gate: str
    transform: str
    trainer: str
    evaluator: str


def code_fingerprints(parts: Parts, schema: str) -> CodeFingerprints:
    """Returns the fingerprints of a pipeline's sources, read from disk and not imported.

    Args:
        parts: The pipeline's.
        schema: The name of the curated schema in the trainer's package.
    """
    schema_text = (resources.files(parts.trainer) / schema).read_bytes()
    return CodeFingerprints(
        schema=hashlib.sha256(schema_text).hexdigest()[:16],
        example_gen=_fingerprint((parts.example_gen, *_SHARED_BY_GENERATORS)),
        data_gate=_fingerprint(("components.data_gate",)),
        transform=_fingerprint(
            (parts.module("preprocessing"), parts.module("features"), *parts.preprocessing_uses)
        ),
        trainer=_fingerprint((parts.trainer, *parts.preprocessing_uses, *_SHARED_BY_TRAINERS)),
        evaluator=_fingerprint(
            ("components.evaluator", "components.ranking_metrics", "components.model_records")
        ),
    )


def _fingerprint(names: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in sorted(names):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"no module named {name}", name=name)
        source = pathlib.Path(spec.origin)
        files = source.parent.rglob("*.py") if spec.submodule_search_locations else [source]
        for file in sorted(files):
            digest.update(f"{name}/{file.name}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
