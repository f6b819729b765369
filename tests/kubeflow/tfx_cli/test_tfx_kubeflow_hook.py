import os
import subprocess
import sys
import sysconfig
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

import kubeflow.tfx_cli

FOLDER = os.path.dirname(kubeflow.tfx_cli.__file__)


def run(program, *options, environment=None):
    """Returns what a program prints in a Python of its own."""
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        cwd="/",
        env={"PATH": os.environ["PATH"], "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_at_the_start_of_python_it_imports_next_to_nothing():
    program = "import sys; before = set(sys.modules); import tfx_kubeflow_hook\n"
    program += "print(*sorted(set(sys.modules) - before))"
    # Without site-packages, where set-up has put the hook already.
    loaded = run(program, "-S", environment={"PYTHONPATH": FOLDER}).split()
    assert "tfx_kubeflow_hook" in loaded
    packages = {name.partition(".")[0] for name in loaded}
    assert packages <= {"tfx_kubeflow_hook", "importlib", "types", "warnings"}


def test_a_handler_of_tfx_that_imports_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    from kubeflow.tfx_cli.tfx_kubeflow_hook import _Loader

    class OfLaterTfx:
        def exec_module(self, module):
            module.KubeflowHandler = "TFX's"

    module = ModuleType("kubeflow_handler")
    _Loader(ModuleSpec("kubeflow_handler", OfLaterTfx())).exec_module(module)
    assert module.KubeflowHandler == "TFX's"


@pytest.mark.slow
def test_an_environment_with_the_wheel_has_the_handler(packages):
    # Without the .pth files of this environment, and with those of the other.
    program = f"""
import site, sys
sys.path.append({sysconfig.get_path("purelib")!r})
site.addsitedir({packages!r})
from tfx.tools.cli.handler import kubeflow_handler
print(sys.modules[kubeflow_handler.KubeflowHandler.__module__].__file__)
print("kubeflow" in sys.modules)
"""
    file, ours = run(program, "-S").split()[-2:]
    assert file == os.path.join(packages, "kubeflow", "tfx_cli", "tfx_kubeflow_handler.py")
    # A user's own package of that name can still be imported.
    assert ours == "False"
