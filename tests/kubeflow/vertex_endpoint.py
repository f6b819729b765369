"""The Vertex endpoint that takes pipeline jobs and schedules, on the loopback interface."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
from google.cloud.aiplatform_v1 import types
from google.protobuf import empty_pb2

_JOBS = "google.cloud.aiplatform.v1.PipelineService"
_SCHEDULES = "google.cloud.aiplatform.v1.ScheduleService"
# For the process of the client: its connection leads to the port in VERTEX_PORT, without a log-in
# and without the look whether the bucket is there and which name the project has.
CLIENT_PRELUDE = """
import os
import google.auth
import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform.utils import gcs_utils, resource_manager_utils
from google.cloud.aiplatform_v1.services.pipeline_service.transports import (
    PipelineServiceGrpcTransport,
)
from google.cloud.aiplatform_v1.services.schedule_service.transports import (
    ScheduleServiceGrpcTransport,
)

google.auth.default = lambda *_, **__: (AnonymousCredentials(), None)
resource_manager_utils.get_project_id = lambda project_number, **_: project_number
gcs_utils.create_gcs_bucket_for_pipeline_artifacts_if_it_does_not_exist = lambda **_: None
for transport in (PipelineServiceGrpcTransport, ScheduleServiceGrpcTransport):
    transport.create_channel = classmethod(
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
        schedules: The schedules by resource name.
    """

    port: int = 0
    requests: list[types.CreatePipelineJobRequest] = field(default_factory=list)
    jobs: dict[str, types.PipelineJob] = field(default_factory=dict)
    schedules: dict[str, types.Schedule] = field(default_factory=dict)

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

    def create_schedule(
        self, request: types.CreateScheduleRequest, context: grpc.ServicerContext
    ) -> types.Schedule:
        """Answers with the schedule, which is named and active."""
        made = types.Schedule(request.schedule)
        made.name = f"{request.parent}/schedules/{len(self.schedules) + 1}"
        made.state = types.Schedule.State.ACTIVE
        made.create_time = datetime.now(UTC)
        self.schedules[made.name] = made
        return made

    def get_schedule(
        self, request: types.GetScheduleRequest, context: grpc.ServicerContext
    ) -> types.Schedule:
        """Answers with the schedule of that name, if there is one."""
        if request.name not in self.schedules:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{request.name} is not found.")
        return self.schedules[request.name]

    def list_schedules(
        self, request: types.ListSchedulesRequest, context: grpc.ServicerContext
    ) -> types.ListSchedulesResponse:
        """Answers with the schedules that the filter, of a display name, lets pass."""
        wanted = request.filter.removeprefix("display_name=").strip('"')
        found = [each for each in self.schedules.values() if each.display_name == wanted]
        return types.ListSchedulesResponse(schedules=found)

    def pause_schedule(
        self, request: types.PauseScheduleRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Pauses a schedule."""
        self.schedules[request.name].state = types.Schedule.State.PAUSED
        return empty_pb2.Empty()


@contextmanager
def vertex_endpoint() -> Iterator[VertexEndpoint]:
    """Serves the call and yields what keeps the requests."""
    endpoint = VertexEndpoint()
    job, schedule = types.PipelineJob.serialize, types.Schedule.serialize
    methods = {
        _JOBS: {
            "CreatePipelineJob": (endpoint.create, types.CreatePipelineJobRequest, job),
            "GetPipelineJob": (endpoint.get, types.GetPipelineJobRequest, job),
        },
        _SCHEDULES: {
            "CreateSchedule": (endpoint.create_schedule, types.CreateScheduleRequest, schedule),
            "GetSchedule": (endpoint.get_schedule, types.GetScheduleRequest, schedule),
            "ListSchedules": (
                endpoint.list_schedules,
                types.ListSchedulesRequest,
                types.ListSchedulesResponse.serialize,
            ),
            "PauseSchedule": (
                endpoint.pause_schedule,
                types.PauseScheduleRequest,
                empty_pb2.Empty.SerializeToString,
            ),
        },
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    for service, calls in methods.items():
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(answer, request.deserialize, serialize)
            for name, (answer, request, serialize) in calls.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    endpoint.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield endpoint
    finally:
        server.stop(grace=None).wait()
