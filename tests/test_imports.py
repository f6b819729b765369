"""Arrows between modules: one way, in no circle, those in functions and in strings included."""

import ast
import graphlib
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# Each may use itself and those before it.
LAYERS = (
    "transforms.base",
    "transforms.parsing",
    "transforms",
    "components",
    "pipeline",
    "kubeflow",
    "pipeline.cli",
    "benchmarks",
)
# What is started and never imported.
STARTED = ("pipeline.__main__", "pipeline.beam_runner", "pipeline.local_runner")
DOTTED = re.compile(r"\A[a-z]\w*(?:\.\w+)+\Z")


def modules():
    """The source of each module by its dotted name, a package's being that of its folder."""
    packages = {layer.partition(".")[0] for layer in LAYERS}
    files = (file for package in packages for file in (ROOT / package).rglob("*.py"))
    parts = {file: file.relative_to(ROOT).with_suffix("").parts for file in files}
    return {
        ".".join(p[:-1] if p[-1] == "__init__" else p): file.read_text(encoding="utf-8")
        for file, p in parts.items()
    }


def names_in(source):
    """Dotted names that a source imports, anywhere, or has in a string that is no docstring."""
    tree = ast.parse(source)
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Constant) and node not in prose:
            yield from DOTTED.findall(str(node.value))


def arrows(sources):
    """The modules that each module names."""
    found = {}
    for module, source in sources.items():
        named = set()
        for name in names_in(source):
            while name and name not in sources:
                name = name.rpartition(".")[0]
            # A package's own file says what the package is, and nothing more.
            if name != module and "." in name:
                named.add(name)
        found[module] = named - {module.rpartition(".")[0]}
    return found


def layer(module):
    if module in STARTED:
        return len(LAYERS)
    within = [name for name in LAYERS if f"{module}.".startswith(f"{name}.")]
    return LAYERS.index(max(within, key=len))


@pytest.fixture(scope="module")
def found():
    return arrows(modules())


def test_no_module_names_one_of_a_layer_above(found):
    assert len(found) > 150 and "components.evaluator.executor" in found
    up = {
        f"{module} -> {name}"
        for module, named in found.items()
        for name in named
        if layer(name) > layer(module)
    }
    assert not up


def test_no_modules_name_each_other_in_a_circle(found):
    assert list(graphlib.TopologicalSorter(found).static_order())


def test_a_name_in_a_string_or_in_a_function_is_an_arrow():
    sources = {
        "components.a": '"""Not pipeline.b."""\nNAME = "pipeline.b.run"\n',
        "pipeline.b": "def f():\n    from components import a\n",
    }
    assert arrows(sources) == {"components.a": {"pipeline.b"}, "pipeline.b": {"components.a"}}
