"""Follows a run on Kubeflow Pipelines 2 to its end, and tells how it ended as `run` does."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import kfp
from kfp_server_api import ApiException

from pipeline.exit_code import ExitCode

__all__ = ["follow_run"]

_POLL_SECONDS = 5.0
_ENDED = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")
# Steps of the backend itself, between and around those of the pipeline.
_NOT_STEPS = re.compile(r"(root|executor|.*-driver)(\(\d+\))?")
_VERDICT = re.compile(r"\] verdict: (.*)")
_LAST_LINE = re.compile(r"(?:error|refused): .*")
# How the launcher tells of the command's end, after the command's own last line.
_EXIT_STATUS = re.compile(r"exit status (\d+)")
_POD_TEMPLATE = "system-container-impl"


def follow_run(
    client: kfp.Client, run_id: str, tell: Callable[[str], None], poll: float = _POLL_SECONDS
) -> ExitCode:
    """Waits for the end of a run.

    Args:
        client: The connection.
        run_id: The run.
        tell: Takes a line: each step that ended, and then the verdict or why there is none.
        poll: Seconds between two looks.

    Returns:
        The exit code of the step that stopped the run; a fault if its log does not tell.
    """
    told: set[str] = set()
    while True:
        run = client.get_run(run_id)
        tasks = _steps(run)
        for name, task in tasks.items():
            if task.state in _ENDED and name not in told:
                told.add(name)
                tell(f"  {name:<24} {_duration(task)}")
        if run.state in _ENDED:
            break
        time.sleep(poll)
    if run.state == "CANCELED":
        tell("the run was stopped")
        return ExitCode.INTERRUPTED
    failed = [name for name, task in tasks.items() if task.state == "FAILED"]
    evaluated = "Evaluator" in tasks and "Evaluator" not in failed
    for line in _log(client, run_id, tasks["Evaluator"]) if evaluated else ():
        verdict = _VERDICT.search(line)
        if verdict:
            tell(verdict[1])
    if run.state == "SUCCEEDED":
        return ExitCode.SUCCESS
    for name in failed:
        log = list(_log(client, run_id, tasks[name]))
        reasons = [line for line in log if _LAST_LINE.fullmatch(line)]
        codes = [int(found[1]) for found in map(_EXIT_STATUS.search, log) if found]
        if reasons and codes:
            tell(reasons[-1])
            return ExitCode(codes[-1])
        tell(f"fault in {name}: see its log")
    return ExitCode.FAULT


def _steps(run: Any) -> dict[str, Any]:
    """Returns the steps of the pipeline by name, in the order of their ends."""
    details = run.run_details.task_details if run.run_details else None
    steps = [task for task in details or () if not _NOT_STEPS.fullmatch(task.display_name)]
    # The workflow's own node has the run's name.
    steps = [task for task in steps if task.display_name != run.display_name]
    return {task.display_name: task for task in sorted(steps, key=lambda task: str(task.end_time))}


def _duration(task: Any) -> str:
    if task.state != "SUCCEEDED":
        return str(task.state).lower()
    return f"{(task.end_time - task.start_time).total_seconds():.0f} s"


def _log(client: kfp.Client, run_id: str, task: Any) -> Iterator[str]:
    """Yields the lines of the log of a step's pod; none where the pod or its log is gone."""
    for child in task.child_tasks or ():
        workflow, _, number = child.pod_name.rpartition("-")
        path = f"/apis/v1alpha1/runs/{run_id}/nodes/{workflow}-{_POD_TEMPLATE}-{number}/log"
        try:
            (text,) = client._run_api.api_client.call_api(
                path,
                "GET",
                response_type="str",
                auth_settings=["Bearer"],
                _return_http_data_only=False,
            )[:1]
        except ApiException:
            continue
        yield from (text or "").splitlines()
