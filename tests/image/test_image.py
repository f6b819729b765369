"""The image, built from the Dockerfile by Debian's buildah."""

import itertools
import json
import os
import re
import shutil

import pytest
import yaml

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
GOLDENS = os.path.join(ROOT, "tests", "kubeflow", "goldens")
CODE_KEYS = ("classPath", "class_path", "run_fn", "preprocessing_fn", "strategy_class_path")
TOOLS = "cc c++ gcc g++ cpp ld make go git uv pytest mypy ruff"
GPU_GIB = 40
pytestmark = pytest.mark.slow

IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    module, _, attribute = name.rpartition(".")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        getattr(importlib.import_module(module), attribute)
"""

# A pool as a task manager of Flink has it, but on loopback alone, and a job that runs there.
JOB = """
import os, sys
import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
from apache_beam.utils.thread_pool_executor import shared_unbounded_instance

boot, output = sys.argv[1:]
pool = BeamFnExternalWorkerPoolServicer(use_process=True, container_executable=boot)
server = grpc.server(shared_unbounded_instance())
port = server.add_insecure_port("127.0.0.1:0")
beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
server.start()
options = PipelineOptions([
    "--runner=PortableRunner", "--job_endpoint=embed", "--sdk_location=container",
    "--environment_type=EXTERNAL", f"--environment_config=127.0.0.1:{port}",
])

def describe(_):
    import transforms.read_ratings
    # The boot program sets the second one for the workers that it starts.
    return f"{sys.prefix} {os.environ['SEMI_PERSISTENT_DIRECTORY']}"

with beam.Pipeline(options=options) as pipeline:
    described = pipeline | beam.Create([0]) | beam.Map(describe)
    described | beam.io.WriteToText(output, num_shards=1, shard_name_template="")
print(open(output).read())
"""

LOAD_CUDA = """
import ctypes, glob, os
import tensorflow as tf
assert tf.test.is_built_with_cuda()
wheels = os.path.join(os.path.dirname(os.path.dirname(tf.__file__)), "nvidia")
# XLA looks for it there, beside TensorFlow.
assert os.path.isfile(os.path.join(wheels, "cuda_nvcc", "nvvm", "libdevice", "libdevice.10.bc"))
for name in "cublas cuda_cupti cuda_runtime cudnn cufft curand cusolver cusparse nccl".split():
    libraries = glob.glob(os.path.join(wheels, name, "lib", "*.so*"))
    assert libraries, name
    for library in libraries:
        try:
            ctypes.CDLL(library)
        except OSError as error:
            # The driver's own library, which comes from the machine.
            assert str(error).startswith("libcuda.so.1: "), error
"""


def named_code(value):
    """Dotted names of classes and functions that a compiled pipeline tells a step to import."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if key in CODE_KEYS and isinstance(entry, str):
                yield entry
            yield from named_code(entry)
    elif isinstance(value, list):
        for flag, entry in itertools.pairwise(value):
            if flag in ("-m", "--executor_class_path"):
                yield entry
        for entry in value:
            yield from named_code(entry)
    elif isinstance(value, str):
        yield from re.findall(r"(?<![\w.])(?:components|pipeline|tfx\.components)\.[\w.]+\w", value)


def test_its_user_is_a_number_and_not_root_and_cannot_change_it(image):
    user, group = image.settings["User"].split(":")
    assert int(user) > 0 and int(group) > 0
    assert image.run("id", "--user").strip() == user
    assert image.run("find", "/opt", "/usr", "-writable", "!", "-type", "l") == ""


def test_its_packages_are_those_of_the_runtime_lock(image):
    with open(os.path.join(ROOT, "requirements.lock"), encoding="utf-8") as file:
        lines = re.findall(r"^(\S+==\S+)( ;)?", file.read(), flags=re.MULTILINE)
    locked, everywhere = {name for name, _ in lines}, {name for name, marker in lines if not marker}
    packages = json.loads(image.run("pip", "list", "--format", "json"))
    installed = {
        f"{re.sub(r'[-_.]+', '-', package['name']).lower()}=={package['version']}"
        for package in packages
        if package["name"] != "tfx-recommenders"
    }
    assert len(installed) == len(packages) - 1
    assert everywhere <= installed <= locked
    image.run("pip", "check")


def test_it_has_no_compiler_and_no_tools_of_set_up_and_tests(image):
    found = image.run("sh", "-c", f"for tool in {TOOLS}; do command -v $tool; done; true")
    assert found == ""


def test_all_code_that_compiled_pipelines_name_imports_from_the_root_folder(image):
    names = set()
    for file_name in os.listdir(GOLDENS):
        with open(os.path.join(GOLDENS, file_name), encoding="utf-8") as file:
            names.update(*map(named_code, yaml.safe_load_all(file)))
    for expected in (
        "components.movielens_gen.executor.LeaveOneOutExecutor",
        "components.census_gen.executor.Executor",
        "components.ncf_trainer.trainer.run_fn",
        "components.wide_deep_trainer.ratings.preprocessing.preprocessing_fn",
    ):
        assert expected in names
    image.run("env", "--chdir=/", "python", "-c", IMPORT_ALL, *sorted(names))


def test_a_whole_pipeline_runs_in_it(image):
    output = "/tmp/output"
    image.run("python", "-m", "pipeline", "run", "ncf", "--output-root", output)
    serving = os.path.join(output, "ncf", "serving")
    assert len(image.run("find", serving, "-name", "saved_model.pb").split()) == 1


def test_beam_starts_workers_through_its_boot_program(image):
    (boot,) = image.settings["Entrypoint"]
    # A job whose worker does not start waits for it without end.
    said = image.run("timeout", "300", "python", "-c", JOB, boot, "/tmp/said")
    assert said.split() == ["/opt/venv", "/tmp"]


def test_cuda_of_the_gpu_image_loads_without_a_gpu(build):
    free = shutil.disk_usage(ROOT).free >> 30
    if free < GPU_GIB:
        pytest.skip(f"{free} GiB are free, and to build the image with CUDA takes {GPU_GIB}")
    build("gpu").run("python", "-c", LOAD_CUDA)
