import os
import shutil
import subprocess

import apache_beam as beam
import pytest

from tests.portable.worker_pool import worker_pool
from tests.portable.workplace import Workplace

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PRISM = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{beam.__version__}"


@pytest.fixture(scope="session")
def prism():
    """The path of Prism, Beam's portable runner in Go, which is built once."""
    folder = os.path.join(ROOT, "build", "prism", beam.__version__)
    program = os.path.join(folder, "prism")
    if not os.path.exists(program):
        if shutil.which("go") is None:
            pytest.skip("Go is missing, which builds Prism: install it from https://go.dev/dl")
        # Go fetches the version of itself that Beam asks for.
        environment = {**os.environ, "GOBIN": folder, "GOTOOLCHAIN": "auto"}
        done = subprocess.run(
            ["go", "install", PRISM], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"Prism cannot be built: {done.stderr}"
    return program


@pytest.fixture
def pool(packages, tmp_path):
    """A pool of workers that have the project's wheel."""
    (tmp_path / "workers").mkdir()
    with worker_pool(packages, str(tmp_path / "workers")) as running:
        yield running


@pytest.fixture
def workplace(packages, tmp_path):
    """Returns a function that makes a Workplace for a pipeline."""
    return lambda pipeline: Workplace(pipeline, str(tmp_path), packages)
