import importlib.metadata
import shutil
import subprocess
import sys
from collections import namedtuple

import pytest

from pipeline import doctor
from pipeline.cli import main
from pipeline.doctor import diagnose


def finding(name):
    return next(f for f in diagnose("output") if f.name == name)


def test_says_what_is_there_without_importing_it():
    code = (
        "import sys; from pipeline.cli import main; code = main(['doctor'])\n"
        "assert not {'tensorflow', 'tfx', 'apache_beam', 'kfp'} & set(sys.modules)\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    names = [line.split()[1] for line in done.stdout.splitlines()]
    assert {"Python", "pip", "kfp", "protobuf", "GPU", "disk", "memory"} <= set(names)
    assert done.returncode in (0, 2) and done.stderr == ""


def test_another_version_and_a_missing_package_have_a_remedy(monkeypatch, capsys):
    def version(name):
        if name == "kfp":
            raise importlib.metadata.PackageNotFoundError(name)
        return "5.29.0" if name == "protobuf" else real(name)

    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", version)
    assert main(["doctor"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("mend")][:2] == ["protobuf", "kfp"]
    assert "not installed; pip install --require-hashes -r requirements.lock" in "\n".join(lines)


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
            "and-",
        ),
        (["libcuda.so.1", *doctor._GPU_LIBRARIES], "driver, CUDA 12 and cuDNN 8", ""),
    ],
)
def test_gpu_libraries_that_are_missing_are_named(libraries, found, remedy, monkeypatch):
    monkeypatch.setattr(doctor, "_loads", lambda name: name in libraries)
    monkeypatch.setattr(doctor.glob, "glob", lambda pattern: [])
    gpu = finding("GPU")
    assert gpu.found.startswith(found) and remedy in gpu.remedy and bool(remedy) == bool(gpu.remedy)
