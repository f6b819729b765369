"""The commands of README and of docs, as printed."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.kubeflow.kfp_player import Run
from tests.kubeflow.kfp_server import kfp_server

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
PAGES = [
    "README.md",
    "docs/tutorial.md",
    "docs/pipelines.md",
    "docs/engines.md",
    "benchmarks/README.md",
]
CLUSTER_PAGE = "kubeflow/README.md"
# Commands that are not run here, by how they begin, and why.
NOT_HERE = {
    "make test": "runs this very test",
    "make image": "needs Docker",
    "docker ": "needs Docker",
    "make bench": "takes half an hour; tests/benchmarks runs its parts",
}
PARTS = ("pipeline", "components", "transforms", "kubeflow", "tools")
DATA_SETS = {"ml-1m": "ml-1m.zip", "ml-latest-small": "ml-latest-small.zip"}


def script(page):
    """One shell session of all blocks of a page, in their order."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        blocks = re.findall(r"^```(sh|python)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    # A command may go on behind a backslash.
    left_out = re.compile(
        rf"^(?:{'|'.join(map(re.escape, NOT_HERE))})(?:.*\\\n)*.*\n", flags=re.MULTILINE
    )
    return "".join(
        left_out.sub("", text) if kind == "sh" else f".venv/bin/python -c {shlex.quote(text)}\n"
        for kind, text in blocks
    )


def run(page, checkout, **variables):
    """Runs a page's session in a copy of the project; the last command traced is one that fails."""
    done = subprocess.run(
        ["bash", "-eux", "-c", script(page)],
        cwd=checkout,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-3000:]}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the project."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in PARTS:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(os.path.join(ROOT, name), folder / name, ignore=ignore)
    for name in ("Makefile", "requirements.lock", "README.md"):
        shutil.copy(os.path.join(ROOT, name), folder)
    # The environment, which is not to be built again for another place.
    os.symlink(sys.prefix, folder / ".venv")
    (folder / "tools" / "make_venv.sh").write_text("#!/bin/sh\n")
    (folder / "data").mkdir()
    return folder


@pytest.fixture(scope="module")
def real_checkout(checkout, real_data):
    """The copy with the real data where the commands look for them."""
    for file in DATA_SETS.values():
        shutil.copy(os.path.join(real_data, "movielens", file), checkout / "data")
    shutil.copytree(os.path.join(real_data, "census"), checkout / "data" / "census")
    return checkout


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_works_in_its_order(real_checkout, page):
    run(page, real_checkout)


@pytest.mark.slow
def test_every_command_for_a_cluster_works_with_servers_on_this_machine(checkout, tmp_path):
    # The client of Google's services takes seconds to import.
    from tests.kubeflow.vertex_endpoint import CLIENT_PRELUDE, vertex_endpoint

    (tmp_path / "sitecustomize.py").write_text(CLIENT_PRELUDE, encoding="utf-8")
    with kfp_server() as kubeflow, vertex_endpoint() as vertex:
        kubeflow.play = lambda package, parameters: Run()
        run(
            CLUSTER_PAGE,
            checkout,
            ENDPOINT=kubeflow.url,
            VERTEX_PORT=str(vertex.port),
            PYTHONPATH=str(tmp_path),
            HOME=str(tmp_path),
        )
    # By tfx and by submit.
    assert len(kubeflow.runs) == len(vertex.requests) == 2 and not kubeflow.unknown
    (schedule,) = kubeflow.recurringruns.values()
    assert schedule["status"] == "DISABLED"


def test_links_between_pages_lead_somewhere():
    more = (
        "CONTRIBUTING.md",
        "docs/data.md",
        "docs/operation.md",
        "docs/metrics.md",
        "docs/design.md",
    )
    pages = [*PAGES, CLUSTER_PAGE, *more]
    for page in pages:
        with open(os.path.join(ROOT, page), encoding="utf-8") as file:
            for target in re.findall(r"\]\(([\w./-]+)\)", file.read()):
                path = os.path.join(ROOT, os.path.dirname(page), target)
                assert os.path.exists(path), f"{page}: {target}"
