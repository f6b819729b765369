"""The Examples of each ExampleGen on every runner."""

import contextlib
import os
import subprocess

import pytest
from apache_beam.utils.subprocess_server import pick_port

from kubeflow.beam_engine import BeamEngine
from tests.kubeflow.foreign_folder import IMAGE
from tests.portable.examples import make_examples, records
from tests.portable.workplace import PIPELINES, prism_args


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_runner_makes_the_same_examples(pipeline, prism, pool, tmp_path, monkeypatch):
    # Beam starts the workers of several processes with the working folder on their path.
    monkeypatch.chdir(os.path.join(os.path.dirname(__file__), "..", ".."))
    expected = records(make_examples(pipeline, tmp_path / "default", []))
    assert all(expected.values())
    args = {
        "in_memory": ["--direct_running_mode=in_memory"],
        "two_processes": ["--direct_running_mode=multi_processing", "--direct_num_workers=2"],
        "prism": prism_args(prism, pool.address),
    }
    for runner in args:
        uri = make_examples(pipeline, tmp_path / runner, args[runner])
        assert records(uri) == expected, runner
    assert len(pool.workers()) == 1


@contextlib.contextmanager
def job_server(prism):
    """Runs Prism where Beam's job server for Spark would be, and yields its address."""
    (port,) = pick_port(None)
    process = subprocess.Popen(
        [prism, f"--job_port={port}", "--serve_http=false"], stderr=subprocess.DEVNULL
    )
    try:
        yield f"localhost:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_spark_runner_hands_the_job_to_a_job_server_that_counts(prism, pool, tmp_path):
    expected = records(make_examples("census", tmp_path / "direct", []))
    with job_server(prism) as address:
        spark = BeamEngine(name="spark", image=IMAGE, master=address, worker_pool=pool.address)
        # Prism fuses by itself.
        args = [a for a in spark.args("CensusExampleGen") if "pre_optimize" not in a]
        assert records(make_examples("census", tmp_path / "spark", args)) == expected
    assert len(pool.workers()) == 1
