"""The three locks: what runs, and what tests and GPUs need on top of it."""

import pathlib
import re

import pytest
from packaging.requirements import Requirement

ROOT = pathlib.Path(__file__).parents[1]


def locked(name):
    """Versions by package, as {package: {version}}: a package may have one for each Python."""
    versions = {}
    for line in (ROOT / name).read_text().splitlines():
        if match := re.match(r"([a-z0-9][a-z0-9.-]*)(?:\[.*\])?==([^ ;]+)", line):
            versions.setdefault(match[1], set()).add(match[2])
    return versions


@pytest.mark.parametrize("name", ["requirements-dev.lock", "requirements-gpu.lock"])
def test_what_comes_on_top_changes_no_version(name):
    runtime = locked("requirements.lock")
    for package, versions in locked(name).items():
        assert package not in runtime or versions <= runtime[package], package


def test_what_runs_holds_nothing_that_only_tests_need():
    assert not {"pytest", "mypy", "ruff", "hypothesis"} & set(locked("requirements.lock"))


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-gpu"])
def test_a_lock_has_a_hash_for_each_package_and_names_no_address(name):
    text = (ROOT / f"{name}.lock").read_text()
    assert "://" not in text
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 10
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_lock_lies_in_the_ranges_of_what_the_project_needs():
    runtime = locked("requirements.lock")
    for line in (ROOT / "requirements.in").read_text().splitlines():
        if line and not line.startswith("#"):
            wanted = Requirement(line)
            assert runtime[wanted.name]
            assert all(wanted.specifier.contains(found) for found in runtime[wanted.name])
