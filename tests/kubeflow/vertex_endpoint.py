"""The Vertex endpoint that takes pipeline jobs, on the loopback interface."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
from google.cloud.aiplatform_v1 import types

_SERVICE = "google.cloud.aiplatform.v1.PipelineService"
# For the process of the client: its connection leads to the port in VERTEX_PORT, without a log-in
# and without the look whether the bucket is there.
CLIENT_PRELUDE = """
import os
import google.auth
import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform.utils import gcs_utils
from google.cloud.aiplatform_v1.services.pipeline_service import transports

google.auth.default = lambda *_, **__: (AnonymousCredentials(), None)
gcs_utils.create_gcs_bucket_for_pipeline_artifacts_if_it_does_not_exist = lambda **_: None
transports.PipelineServiceGrpcTransport.create_channel = classmethod(
    lambda *_, **__: grpc.insecure_channel("127.0.0.1:" + os.environ["VERTEX_PORT"])
)
"""


@dataclass
class VertexEndpoint:
    """What the endpoint was told.

    Attributes:
        port: The port of 127.0.0.1 that it listens on.
        requests: The requests for new jobs.
        jobs: The jobs by resource name.
    """

    port: int = 0
    requests: list[types.CreatePipelineJobRequest] = field(default_factory=list)
    jobs: dict[str, types.PipelineJob] = field(default_factory=dict)

    def create(
        self, request: types.CreatePipelineJobRequest, context: grpc.ServicerContext
    ) -> types.PipelineJob:
        """Answers with the job as the service does, named and pending."""
        self.requests.append(request)
        job = types.PipelineJob(request.pipeline_job)
        job.name = f"{request.parent}/pipelineJobs/{request.pipeline_job_id}"
        job.state = types.PipelineState.PIPELINE_STATE_PENDING
        job.create_time = datetime.now(UTC)
        self.jobs[job.name] = job
        return job

    def get(
        self, request: types.GetPipelineJobRequest, context: grpc.ServicerContext
    ) -> types.PipelineJob:
        """Answers with the job of that name."""
        return self.jobs[request.name]


@contextmanager
def vertex_endpoint() -> Iterator[VertexEndpoint]:
    """Serves the call and yields what keeps the requests."""
    endpoint = VertexEndpoint()
    methods = {
        "CreatePipelineJob": (endpoint.create, types.CreatePipelineJobRequest),
        "GetPipelineJob": (endpoint.get, types.GetPipelineJobRequest),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            answer, request.deserialize, types.PipelineJob.serialize
        )
        for name, (answer, request) in methods.items()
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    endpoint.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield endpoint
    finally:
        server.stop(grace=None).wait()
