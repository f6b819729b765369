"""Runs that recur, of one version of a pipeline: made, listed and stopped."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubeflow.vertex_client import place, vertex_errors
from transforms.base.errors import UserError

_FIELDS = 5
# Kubeflow's cron begins with the second.
_SECOND = "0 "


class Schedule(NamedTuple):
    """A schedule, as an engine tells of it.

    Attributes:
        name: By which the engine knows it.
        cron: When it starts runs, in five fields.
        active: Whether it does.
        parameters: Values of run-time parameters that its runs get.
    """

    name: str
    cron: str
    active: bool
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        pairs = [f"{name}={value}" for name, value in sorted(self.parameters.items())]
        return "  ".join([self.name, "active" if self.active else "stopped", self.cron, *pairs])


def check_cron(cron: str) -> str:
    """Returns a cron expression with single blanks.

    Raises:
        UserError: It has not five fields. What may be in them the engine checks.
    """
    fields = cron.split()
    if len(fields) != _FIELDS:
        raise UserError(
            f"--schedule {cron!r}: must have five fields, minute, hour, day of the month, month "
            'and day of the week, such as "0 3 * * *"'
        )
    return " ".join(fields)


def schedule_on_kubeflow(
    client: Any, pipeline: str, version: Any, parameters: Mapping[str, Any], cron: str
) -> Schedule:
    """Makes a recurring run, which does not catch up on what it missed, nor overtake itself.

    Args:
        client: Of kfp.
        pipeline: The pipeline's name, which is also that of its experiment.
        version: As the API describes it; later ones are not taken.
        parameters: Values of run-time parameters.
        cron: In five fields, UTC.
    """
    made = client.create_recurring_run(
        client.create_experiment(pipeline).experiment_id,
        pipeline,
        cron_expression=_SECOND + cron,
        max_concurrency=1,
        no_catchup=True,
        params=dict(parameters),
        pipeline_id=version.pipeline_id,
        version_id=version.pipeline_version_id,
        service_account=os.environ.get("SERVICE_ACCOUNT") or None,
    )
    return _of_kubeflow(made)


def schedule_on_vertex(job: Any, pipeline: str, account: str | None, cron: str) -> Schedule:
    """Makes a schedule of a pipeline job; Vertex catches up on nothing.

    Args:
        job: An `aiplatform.PipelineJob` that was not submitted.
        pipeline: The schedule's name.
        account: The service account of its runs, or None.
        cron: In five fields, UTC.
    """
    from google.cloud import aiplatform

    made = aiplatform.PipelineJobSchedule(pipeline_job=job, display_name=pipeline)
    made.create(cron=cron, max_concurrent_run_count=1, service_account=account)
    return _of_vertex(made)


def schedules_on_kubeflow(client: Any, pipeline: str) -> Iterator[Schedule]:
    """Yields the recurring runs of a pipeline, stopped ones too."""
    from kubeflow.tfx_cli import tfx_kubeflow_client as api

    for experiment in api.experiment_ids(client, pipeline):
        for page in api.pages(client.list_recurring_runs, experiment_id=experiment):
            yield from map(_of_kubeflow, page.recurring_runs or ())


def schedules_on_vertex(pipeline: str) -> list[Schedule]:
    """Returns the schedules of a pipeline, stopped ones too.

    Raises:
        UserError: A variable is missing, or Vertex refuses.
    """
    from google.cloud import aiplatform

    project, location = place()
    with vertex_errors():
        found = aiplatform.PipelineJobSchedule.list(
            filter=f'display_name="{pipeline}"',
            order_by="create_time",
            project=project,
            location=location,
        )
        return [_of_vertex(schedule) for schedule in found]


def stop_on_vertex(name: str) -> None:
    """Pauses a schedule.

    Raises:
        UserError: A variable is missing, or Vertex refuses.
    """
    from google.cloud import aiplatform

    project, location = place()
    with vertex_errors():
        aiplatform.PipelineJobSchedule.get(name, project=project, location=location).pause()


def _of_kubeflow(run: Any) -> Schedule:
    return Schedule(
        run.recurring_run_id,
        run.trigger.cron_schedule.cron.removeprefix(_SECOND),
        run.status != "DISABLED",
        (run.runtime_config and run.runtime_config.parameters) or {},
    )


def _of_vertex(schedule: Any) -> Schedule:
    known = schedule._gca_resource
    values = known.create_pipeline_job_request.pipeline_job.runtime_config.parameters
    parameters = {name: _plain(type(value).pb(value)) for name, value in values.items()}
    return Schedule(schedule.name, known.cron, known.state.name == "ACTIVE", parameters)


def _plain(value: Any) -> int | float | str:
    """Returns what one of Vertex' values holds."""
    held: int | float | str = getattr(value, value.WhichOneof("value"))
    return held
