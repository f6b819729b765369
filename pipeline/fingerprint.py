"""Fingerprints of our sources, which make TFX's cache see a change in code.

TFX's cache key holds the dotted name of a `run_fn` or an executor, not what it does. A fingerprint
among a component's settings closes that gap, and only for the components whose code changed.
"""

import ast
import hashlib
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.parts import Parts

__all__ = ["CodeFingerprints", "code_fingerprints"]

_ROOT = pathlib.Path(__file__).parents[1]
_OURS = ("components", "transforms")


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

    Each is of the modules that TFX is given by name and of all of ours that they import.

    Args:
        parts: The pipeline's.
        schema: The name of the curated schema in the trainer's package.
    """
    return CodeFingerprints(
        schema=_digest(_file(parts.trainer).with_name(schema).read_bytes()),
        example_gen=_fingerprint(f"{parts.example_gen}.component"),
        data_gate=_fingerprint("components.data_gate.component"),
        transform=_fingerprint(parts.module("preprocessing")),
        trainer=_fingerprint(
            parts.module("trainer"),
            parts.module("tuner"),
            "components.training.component",
            "components.tuning.component",
        ),
        evaluator=_fingerprint(
            "components.evaluator.component", "components.ranking_metrics.metrics"
        ),
    )


def _fingerprint(*modules: str) -> str:
    sources: dict[str, bytes] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = _file(name).read_bytes()
            waiting += filter(_is_ours, _run_by(name, sources[name]))
    return _digest(b"".join(f"{name}\n".encode() + sources[name] for name in sorted(sources)))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _file(module: str) -> pathlib.Path:
    path = _ROOT.joinpath(*module.split("."))
    package = path / "__init__.py"
    return package if package.exists() else path.with_suffix(".py")


def _is_ours(module: str) -> bool:
    return module.startswith(_OURS) and _file(module).exists()


def _run_by(module: str, source: bytes) -> Iterator[str]:
    """Yields what importing and calling a module may run: its package, and what it imports.

    Of `from a import b` that is a and a.b, whether or not b is a module.
    """
    yield module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
