"""The commands of README and of docs, as printed."""

import os
import re
import shutil
import subprocess
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
PAGES = ["README.md", "docs/tutorial.md", "docs/pipelines.md", "docs/operation.md"]
# These run this very test, or for long; they are run by hand and by CI.
NOT_HERE = ("make test",)
PARTS = ("pipeline", "components", "transforms", "kubeflow", "tools")
DATA_SETS = {"ml-1m": "ml-1m.zip", "ml-latest-small": "ml-latest-small.zip"}


def blocks(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        text = re.findall(r"^```sh\n(.*?)^```$", file.read(), flags=re.MULTILINE | re.DOTALL)
    return [
        "".join(line for line in block.splitlines(True) if not line.startswith(NOT_HERE))
        for block in text
    ]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, real_data):
    """A copy of the project with the real data where the commands look for them."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in PARTS:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(os.path.join(ROOT, name), folder / name, ignore=ignore)
    for name in ("Makefile", "requirements.lock", "README.md"):
        shutil.copy(os.path.join(ROOT, name), folder)
    # The environment, without building it again: make compares this copy of the lock.
    os.symlink(sys.prefix, folder / ".venv")
    (folder / "data").mkdir()
    for file in DATA_SETS.values():
        shutil.copy(os.path.join(real_data, "movielens", file), folder / "data")
    shutil.copytree(os.path.join(real_data, "census"), folder / "data" / "census")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_works_in_its_order(checkout, page):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    for block in blocks(page):
        done = subprocess.run(
            ["bash", "-eu", "-c", block],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"


def test_links_between_pages_lead_somewhere():
    pages = [*PAGES, "docs/engines.md", "docs/metrics.md", "docs/design.md", "kubeflow/README.md"]
    for page in pages:
        with open(os.path.join(ROOT, page), encoding="utf-8") as file:
            for target in re.findall(r"\]\(([\w./-]+)\)", file.read()):
                path = os.path.join(ROOT, os.path.dirname(page), target)
                assert os.path.exists(path), f"{page}: {target}"
