import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections import namedtuple

import pytest

from pipeline.cli import doctor
from pipeline.cli.doctor import diagnose
from pipeline.cli.main import main


def finding(name):
    return next(f for f in diagnose("output") if f.name == name)


def test_says_what_is_there_without_importing_it():
    code = (
        "import sys; from pipeline.cli.main import main; code = main(['doctor'])\n"
        "assert not {'tensorflow', 'tfx', 'apache_beam', 'kfp'} & set(sys.modules)\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    names = [line.split()[1] for line in done.stdout.splitlines()]
    assert {"Python", "pip", "kfp", "tf-keras", "GPU", "disk", "memory"} <= set(names)
    assert done.returncode in (0, 2) and done.stderr == ""


def installed(monkeypatch, changed):
    """Makes packages look like other versions, or like missing with None."""

    def version(name):
        if changed.get(name, "") is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return changed.get(name) or real(name)

    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", version)


def test_another_version_and_a_missing_package_have_a_remedy(monkeypatch, capsys):
    installed(monkeypatch, {"tensorflow": "2.15.1", "kfp": None})
    assert main(["doctor"]) == 2
    lines = capsys.readouterr().out.splitlines()
    mend = [line.split()[1] for line in lines if line.startswith("mend")]
    assert mend[:2] == ["tensorflow", "kfp"]
    assert "not installed; pip install --require-hashes -r requirements.lock" in "\n".join(lines)


def test_an_installed_project_is_judged_by_what_it_says_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "__file__", str(tmp_path / "pipeline" / "doctor.py"))
    monkeypatch.setattr(importlib.metadata, "requires", {doctor._PROJECT: ["nothing==1"]}.get)
    assert finding("nothing").found == "not installed"


@pytest.mark.parametrize(
    ("version", "remedy"), [("2.36", "make setup brings it"), ("2.39", ""), ("2.100", "")]
)
def test_an_old_c_library_has_a_remedy(version, remedy, monkeypatch):
    monkeypatch.setattr(os, "confstr", lambda name: f"glibc {version}")
    assert remedy in finding("glibc").remedy and bool(remedy) == bool(finding("glibc").remedy)


def test_another_python_has_a_remedy(monkeypatch):
    assert not finding("Python").remedy
    monkeypatch.setattr(doctor.platform, "python_version_tuple", lambda: ("3", "10", "13"))
    assert "use Python 3.11, 3.12, 3.13" in finding("Python").remedy


def test_a_compiler_and_headers_are_asked_for_where_a_package_is_to_be_compiled(monkeypatch):
    assert not {"C++", "headers"} & {found.name for found in diagnose("output")}
    installed(monkeypatch, {"pyfarmhash": None})
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(doctor.sysconfig, "get_path", lambda name: "/missing")
    assert finding("C++").remedy.endswith("g++")
    assert finding("headers").remedy.endswith("python3-dev")


def test_a_full_disk_has_a_remedy(monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 1 << 30))
    assert "--output-root" in finding("disk").remedy


@pytest.mark.parametrize(
    ("libraries", "found", "remedy"),
    [
        ([], "no NVIDIA driver: training runs on the CPU", ""),
        (
            ["libcuda.so.1", "libcudart.so.12", "libcublas.so.12"],
            "driver, but not libcudnn",
            "requirements-gpu.lock",
        ),
        (["libcuda.so.1", *doctor._GPU_LIBRARIES], "driver, CUDA 12 and cuDNN 9", ""),
    ],
)
def test_gpu_libraries_that_are_missing_are_named(libraries, found, remedy, monkeypatch):
    monkeypatch.setattr(doctor, "_loads", lambda name: name in libraries)
    monkeypatch.setattr(doctor.glob, "glob", lambda pattern: [])
    gpu = finding("GPU")
    assert gpu.found.startswith(found) and remedy in gpu.remedy and bool(remedy) == bool(gpu.remedy)
