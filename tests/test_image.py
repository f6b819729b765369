"""The Dockerfile's steps, run without Docker."""

import itertools
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
GOLDENS = os.path.join(ROOT, "tests", "kubeflow", "goldens")
CODE_KEYS = ("classPath", "class_path", "run_fn", "preprocessing_fn", "strategy_class_path")


def steps_of_stage(stage):
    """The RUN commands of one stage of the Dockerfile."""
    with open(os.path.join(ROOT, "Dockerfile"), encoding="utf-8") as file:
        text = re.sub(r"^#.*\n", "", file.read(), flags=re.MULTILINE).replace("\\\n", " ")
    for part in re.split(r"^FROM ", text, flags=re.MULTILINE):
        if part.splitlines()[0].endswith(f"AS {stage}"):
            return re.findall(r"^RUN (.+)$", part, flags=re.MULTILINE)
    raise AssertionError(f"no stage {stage}")


def copy_context(target):
    """Copies what .dockerignore lets through."""
    with open(os.path.join(ROOT, ".dockerignore"), encoding="utf-8") as file:
        names = [line[1:].strip() for line in file if line.startswith("!")]
    for name in names:
        source = os.path.join(ROOT, name)
        if os.path.isdir(source):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, os.path.join(target, name), ignore=ignore)
        else:
            shutil.copy(source, target)


def named_code(value):
    """Dotted names of classes and functions that a compiled pipeline tells a step to import."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if key in CODE_KEYS and isinstance(entry, str):
                yield entry
            yield from named_code(entry)
    elif isinstance(value, list):
        for flag, entry in itertools.pairwise(value):
            if flag == "--executor_class_path":
                yield entry
        for entry in value:
            yield from named_code(entry)
    elif isinstance(value, str):
        yield from re.findall(r"(?<![\w.])(?:components|pipeline|tfx\.components)\.[\w.]+\w", value)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The environment that the image's build makes."""
    folder = tmp_path_factory.mktemp("image")
    build = folder / "build"
    build.mkdir()
    copy_context(str(build))
    venv = str(folder / "venv")
    path = [os.path.join(venv, "bin"), os.path.join(sys.base_prefix, "bin"), os.environ["PATH"]]
    environment = {**os.environ, "PATH": os.pathsep.join(path), "VIRTUAL_ENV": venv}
    for step in steps_of_stage("packages"):
        command = step.replace("/opt/venv", venv)
        done = subprocess.run(
            ["sh", "-ec", command], cwd=build, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{step}\n{done.stderr[-3000:]}"
    return os.path.join(venv, "bin", "python")


@pytest.mark.slow
def test_all_code_that_compiled_pipelines_name_imports_in_the_image(image):
    names = set()
    for file_name in os.listdir(GOLDENS):
        with open(os.path.join(GOLDENS, file_name), encoding="utf-8") as file:
            names.update(named_code(yaml.safe_load(file)))
    ours = {name for name in names if name.startswith(("components.", "pipeline."))}
    for expected in (
        "components.movielens_gen.executor.LeaveOneOutExecutor",
        "components.census_gen.executor.Executor",
        "components.ncf_trainer.trainer.run_fn",
        "components.wide_deep_trainer.rating_preprocessing.preprocessing_fn",
    ):
        assert expected in ours
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    module, _, attribute = name.rpartition('.')\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ModuleNotFoundError:\n"
        "        getattr(importlib.import_module(module), attribute)\n"
    )
    done = subprocess.run(
        [image, "-c", program, *sorted(names)],
        cwd="/",
        env={"PATH": os.path.dirname(image), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
