"""setup.py as Beam's --setup_file, which is how workers without the image get the project."""

import os
import shutil
import subprocess
import sys
import tarfile

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.stager import Stager

from transforms.read_ratings import ReadRatings, find_tables

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
PACKAGES = ("pipeline", "components", "transforms", "kubeflow")


@pytest.fixture(scope="module")
def source_distribution(tmp_path_factory):
    """What Beam's own stager makes of setup.py."""
    sources, staged = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("staged")
    for name in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(os.path.join(ROOT, name), sources / name, ignore=ignore)
    for name in (
        "setup.py",
        "pyproject.toml",
        "requirements.in",
        "MANIFEST.in",
        "README.md",
        "LICENSE",
    ):
        shutil.copy(os.path.join(ROOT, name), sources)
    options = PipelineOptions([f"--setup_file={sources / 'setup.py'}"])
    Stager.create_job_resources(options, str(staged))
    (package,) = staged.rglob("*.tar.gz")
    return package


@pytest.mark.slow
def test_it_holds_every_module_and_schema(source_distribution):
    with tarfile.open(source_distribution) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    for package in PACKAGES:
        for folder, _, files in os.walk(os.path.join(ROOT, package)):
            for file in files:
                if file.endswith((".py", ".pbtxt", ".jinja")):
                    assert os.path.relpath(os.path.join(folder, file), ROOT) in packed


@pytest.mark.slow
def test_transforms_run_in_a_worker_that_has_only_it(source_distribution, tmp_path):
    site = tmp_path / "site"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet"),
            *("--no-deps", "--no-build-isolation", "--target", str(site), source_distribution),
        ],
        check=True,
    )
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,2,3.5,100\n1,3,4.0,101\n", encoding="utf-8"
    )
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    environment = {**os.environ, "PYTHONPATH": str(site), "PATH": path}
    pool = subprocess.Popen(
        [sys.executable, "-c", _POOL], cwd="/", env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert pool.stdout is not None
        address = pool.stdout.readline().strip()
        options = PipelineOptions(
            [
                "--runner=PortableRunner",
                "--job_endpoint=embed",
                "--environment_type=EXTERNAL",
                f"--environment_config={address}",
                "--sdk_location=container",
            ]
        )
        out = str(tmp_path / "out")
        with beam.Pipeline(options=options) as pipeline:
            (
                pipeline
                | ReadRatings(find_tables(f"{tmp_path}/*", {}), 1 << 20)
                | beam.Map(pa.RecordBatch.num_rows.__get__)
                | beam.Map(str)
                | beam.io.WriteToText(out)
            )
        text = "".join(path.read_text() for path in tmp_path.glob("out*"))
        assert text.split() == ["2"]
    finally:
        pool.terminate()
        pool.wait()


# Beam's worker pool on a loopback port. It sees the project where it was installed alone.
_POOL = """
import time
import grpc
import transforms
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
from apache_beam.utils.thread_pool_executor import shared_unbounded_instance
assert "/site/" in transforms.__file__, transforms.__file__
server = grpc.server(shared_unbounded_instance())
port = server.add_insecure_port("127.0.0.1:0")
beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(
    BeamFnExternalWorkerPoolServicer(use_process=True), server
)
server.start()
print(f"127.0.0.1:{port}", flush=True)
time.sleep(600)
"""
