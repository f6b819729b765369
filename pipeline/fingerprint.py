"""Fingerprints of our sources, which make TFX's cache see a change in code.

TFX's cache key holds the dotted name of a `run_fn` or an executor, not what it does. A fingerprint
among a component's settings closes that gap, and only for the components whose code changed.
"""

import hashlib
import importlib.util
import pathlib
from dataclasses import dataclass

__all__ = ["CodeFingerprints", "code_fingerprints"]


@dataclass(frozen=True, kw_only=True)
class CodeFingerprints:
    """A fingerprint for each component that runs our code; "" leaves the code out of the key."""

    example_gen: str = ""
    transform: str = ""
    trainer: str = ""


def code_fingerprints(
    example_gen: tuple[str, ...], transform: tuple[str, ...], trainer: tuple[str, ...]
) -> CodeFingerprints:
    """Returns the fingerprints of the named modules and packages, read from disk, not imported."""
    return CodeFingerprints(
        example_gen=_fingerprint(example_gen),
        transform=_fingerprint(transform),
        trainer=_fingerprint(trainer),
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
