import collections
import gc
import os
import shutil
import subprocess
import sys

import pytest

# Before TensorFlow is imported by any test: its start-up messages would drown a failure.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# Importing TFX makes millions of objects and next to no garbage.
gc.set_threshold(100_000)

_ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
_SHARED = os.path.join(_ROOT, "..", "shared", "data")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hands pytest-xdist's processes all tests that share what they set up."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            # The tests of a component share the fixtures of their folder, which take seconds.
            return os.path.dirname(file) if "/components/" in f"/{file}" else file

    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def _named_runner(request):
    """Fails a test in which Beam chose the runner: it would download one where it can."""
    prism = "apache_beam.runners.portability.prism_runner"
    allowed = prism in sys.modules or "prism" in request.fixturenames
    yield
    assert allowed or prism not in sys.modules


@pytest.fixture(scope="session")
def real_data():
    """The folder with the real data sets, which are not part of the project."""
    if not os.path.isdir(_SHARED):
        pytest.skip("the real data sets are not here")
    return os.path.abspath(_SHARED)


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """The folder that the project's wheel is installed in; the checkout is not on its path."""
    copy, target = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("packages")
    for name in ("setup.py", "pyproject.toml", "requirements.in", "README.md"):
        shutil.copy(os.path.join(_ROOT, name), copy)
    for name in ("pipeline", "components", "transforms", "kubeflow"):
        shutil.copytree(os.path.join(_ROOT, name), copy / name)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run(
        [*install, "--no-build-isolation", "--target", str(target), str(copy)], check=True
    )
    # As in an environment, Python is to read the .pth file at its start.
    (target / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(target)!r})\n")
    return str(target)


class Tally:
    """Counts of broken inputs by corpus: what was read right, refused, or wrong."""

    def __init__(self):
        self.corpora = {}

    def judge(self, corpus, check):
        """Counts an input as what `check` returns, "right" or "refused", or as wrong."""
        outcome = "wrong"
        try:
            outcome = check()
        finally:
            self.corpora.setdefault(corpus, collections.Counter())[outcome] += 1


_TALLY = pytest.StashKey()


@pytest.fixture(scope="session")
def tally(request):
    """The counts that pytest prints at its end."""
    return request.config.stash.setdefault(_TALLY, Tally())


def pytest_sessionfinish(session):
    tally = session.config.stash.get(_TALLY, None)
    if tally and hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tally"] = {k: dict(v) for k, v in tally.corpora.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Adds up what the processes of pytest-xdist counted."""
    tally = node.config.stash.setdefault(_TALLY, Tally())
    for corpus, counts in getattr(node, "workeroutput", {}).get("tally", {}).items():
        tally.corpora.setdefault(corpus, collections.Counter()).update(counts)


def pytest_terminal_summary(terminalreporter, config):
    tally = config.stash.get(_TALLY, None)
    if tally is None or not tally.corpora:
        return
    terminalreporter.section("broken inputs")
    terminalreporter.line(f"{'':<24}{'tried':>9}{'right':>9}{'refused':>9}{'wrong':>9}")
    for corpus, counts in tally.corpora.items():
        numbers = (counts.total(), counts["right"], counts["refused"], counts["wrong"])
        terminalreporter.line(f"{corpus:<24}" + "".join(f"{n:>9}" for n in numbers))
