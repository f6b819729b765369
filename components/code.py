"""Fingerprints of our sources, and a step's check that it runs those it was compiled with.

TFX's cache key holds the dotted name of a `run_fn` or an executor, not what it does. A fingerprint
among a component's settings closes that gap, and only for the components whose code changed.
"""

import ast
import importlib.util
import pathlib
from collections.abc import Iterator

from transforms.base.digest import digest
from transforms.base.errors import UserError

_ROOT = pathlib.Path(__file__).parents[1]
_OURS = ("components", "transforms")


def fingerprint(*modules: str) -> str:
    """Returns a digest of modules and of what they import of ours and of their own packages.

    Sources are read and not imported.
    """
    followed = {*_OURS, *(module.partition(".")[0] for module in modules)}
    sources: dict[str, bytes] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = source_file(name).read_bytes()
            waiting += (
                imported
                for imported in _run_by(name, sources[name])
                if imported.partition(".")[0] in followed and source_file(imported).exists()
            )
    return digest(b"".join(f"{name}\n".encode() + sources[name] for name in sorted(sources)))


def image_fingerprint(*modules: str) -> str:
    """Returns the same with the modules' names, by which a step in an image can check it."""
    return f"{fingerprint(*modules)}@{','.join(modules)}"


def check_code(code: str) -> None:
    """Raises UserError unless the sources here are those that a fingerprint was made of.

    Args:
        code: What `image_fingerprint` returned where the pipeline was compiled. What `fingerprint`
            returned is not checked: on one machine the sources may be edited while they run.
    """
    compiled, at, names = code.partition("@")
    if at and fingerprint(*names.split(",")) != compiled:
        raise UserError(
            f"{names.split(',')[0]}: the code in this image is not that of the compiled pipeline; "
            "build and push the image again, or compile with the sources that are in it"
        )


def source_file(module: str) -> pathlib.Path:
    """Returns the file of a module or package, whether or not there is one.

    Args:
        module: Its dotted name; where its first part is none of our packages, that can be imported.
    """
    top, *rest = module.split(".")
    root = _ROOT / top
    if top not in _OURS:
        spec = importlib.util.find_spec(top)
        if spec and spec.origin:
            origin = pathlib.Path(spec.origin)
            root = origin.parent if spec.submodule_search_locations else origin.with_suffix("")
    path = root.joinpath(*rest)
    package = path / "__init__.py"
    return package if package.exists() else path.with_suffix(".py")


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
