"""A pool of Python workers as a task manager of Flink has it: it knows the wheel alone."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kubeflow.container import container_environment

# worker_pool_main's own server listens on every interface.
_POOL = """
import grpc
import transforms
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
from apache_beam.utils.thread_pool_executor import shared_unbounded_instance

class Pool(BeamFnExternalWorkerPoolServicer):
    def StartWorker(self, request, context):
        response = super().StartWorker(request, context)
        print(self._worker_processes[request.worker_id].pid, flush=True)
        return response

assert transforms.__file__.startswith({packages!r}), transforms.__file__
server = grpc.server(shared_unbounded_instance())
port = server.add_insecure_port("127.0.0.1:0")
beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(Pool(use_process=True), server)
server.start()
print("127.0.0.1:%d" % port, flush=True)
server.wait_for_termination()
"""
_START_SECONDS = 300


@dataclass(frozen=True)
class WorkerPool:
    """A pool that runs.

    Attributes:
        said: The file with its address and then the process id of each worker it has started.
    """

    said: str

    @property
    def address(self) -> str:
        return self._lines()[0]

    def workers(self) -> list[int]:
        """Returns the process ids of all workers so far."""
        return [int(line) for line in self._lines()[1:]]

    def _lines(self) -> list[str]:
        with open(self.said, encoding="utf-8") as file:
            return file.read().splitlines()


@contextlib.contextmanager
def worker_pool(packages: str, folder: str) -> Iterator[WorkerPool]:
    """Runs a pool in a process of its own.

    Args:
        packages: The folder that the project's wheel is installed in.
        folder: Serves as its home and for temporary files.
    """
    pool = WorkerPool(os.path.join(folder, "pool"))
    errors = os.path.join(folder, "pool.log")
    with open(pool.said, "w") as out, open(errors, "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _POOL.format(packages=packages)],
            cwd="/",
            env=container_environment(packages, folder),
            stdout=out,
            stderr=log,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + _START_SECONDS
        while not pool._lines():
            assert process.poll() is None and time.monotonic() < end, f"no worker pool: {errors}"
            time.sleep(0.1)
        yield pool
    finally:
        # With its workers, which share its process group.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
