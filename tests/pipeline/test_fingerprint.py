import ast
import dataclasses
import importlib.util
import os
import shutil
import subprocess
import sys

import pytest

from pipeline import fingerprint
from pipeline.configs import PRESETS
from pipeline.parts import PARTS

ROOT = os.path.dirname(os.path.dirname(fingerprint.__file__))
# What they hold is among the settings, or ends the run.
NO_CODE = ("_config", ".checks", ".errors")


def of_ours(module):
    """The modules of ours that a module imports."""
    with open(importlib.util.find_spec(module).origin, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith(
            ("components", "transforms")
        ):
            is_package = importlib.util.find_spec(node.module).submodule_search_locations
            names = [f"{node.module}.{name.name}" for name in node.names]
            yield from names if is_package else [node.module]


@pytest.mark.parametrize("pipeline", PARTS)
def test_what_preprocessing_imports_is_fingerprinted(pipeline):
    parts = PARTS[pipeline]
    known = {parts.module("features"), *parts.preprocessing_uses}
    modules = (parts.module("preprocessing"), parts.module("features"))
    imported = {name for module in modules for name in of_ours(module)}
    assert {name for name in imported if not name.endswith(NO_CODE)} <= known


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ("components/wide_deep_trainer/numeric_encoding.py", {"transform", "trainer"}),
        ("transforms/vectorize_genres.py", {"example_gen"}),
        ("components/data_gate/component.py", {"data_gate"}),
        ("components/evaluator/executor.py", {"evaluator"}),
        ("components/census_gen/executor.py", {"example_gen"}),
        ("components/wide_deep_trainer/census_schema.pbtxt", {"schema"}),
    ],
)
def test_a_change_in_code_changes_the_fingerprints_of_what_runs_it(changed, fields, tmp_path):
    for package in ("components", "pipeline", "transforms"):
        shutil.copytree(os.path.join(ROOT, package), tmp_path / package)

    def fingerprints():
        code = (
            "from pipeline.fingerprint import code_fingerprints as f; from pipeline.parts import *;"
            f"print(vars(f(PARTS['census'], '{PRESETS['census'][0].schema}')))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return ast.literal_eval(done.stdout)

    before = fingerprints()
    assert set(before) == {f.name for f in dataclasses.fields(fingerprint.CodeFingerprints)}
    with open(tmp_path / changed, "a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    after = fingerprints()
    assert {name for name in before if before[name] != after[name]} == fields
