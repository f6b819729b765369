"""Follows a run on Kubeflow Pipelines 2 to its end, and tells how it ended as `run` does."""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import kfp
from kfp_server_api import ApiException
from urllib3.exceptions import HTTPError

from pipeline.exit_code import ExitCode

_POLL_SECONDS = 5.0
# Looks in vain, five minutes of them, until a backend counts as gone.
_PATIENCE = 60
_SERVER_FAULT = 500
_STOPPED = ("CANCELING", "CANCELED")
_ENDED = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")
_VERDICT = re.compile(r"\] verdict: (.*)")
_LAST_LINE = re.compile(r"(?:error|refused): .*")
# How the launcher tells of the command's end. Argo tells of the launcher's after that.
_EXIT_STATUS = re.compile(r"failed to execute component: exit status (\d+)")
_POD_TEMPLATE = "system-container-impl"
_ROOT = "root"


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
    states: list[str] = []
    # The backend keeps the end of a run first, and those of its steps after it.
    while len(states) < 2 or states[-2] not in _ENDED:
        time.sleep(poll if states else 0)
        run = _look(client, run_id, poll)
        states.append(run.state)
        tasks = _steps(run)
        for name, task in tasks.items():
            if task.state in _ENDED and name not in told:
                told.add(name)
                tell(f"  {name:<24} {_duration(task)}")
    states += [each.state for each in run.state_history or ()]
    # A run that was stopped is called failed in the end.
    if run.state != "SUCCEEDED" and any(state in states for state in _STOPPED):
        tell("the run was stopped")
        return ExitCode.INTERRUPTED
    failed = [name for name, task in tasks.items() if task.state == "FAILED"]
    evaluated = "Evaluator" in tasks and "Evaluator" not in failed
    for line in _log(client, run, "Evaluator") if evaluated else ():
        verdict = _VERDICT.search(line)
        if verdict:
            tell(verdict[1])
    if run.state == "SUCCEEDED":
        return ExitCode.SUCCESS
    for name in failed:
        log = list(_log(client, run, name))
        reasons = [line for line in log if _LAST_LINE.fullmatch(line)]
        codes = [int(found[1]) for found in map(_EXIT_STATUS.search, log) if found]
        if reasons and codes:
            tell(reasons[-1])
            return ExitCode(codes[-1])
        tell(f"fault in {name}: see its log")
    if not failed:
        tell("the run failed outside of its steps: it was stopped, or the console tells why")
    return ExitCode.FAULT


def _look(client: kfp.Client, run_id: str, poll: float) -> Any:
    """Returns the run, for whose end a server that is away for a while is waited out."""
    for _ in range(_PATIENCE):
        try:
            return client.get_run(run_id)
        except ApiException as error:
            if error.status < _SERVER_FAULT:
                raise
        except (OSError, HTTPError):
            pass
        time.sleep(poll)
    return client.get_run(run_id)


def _details(run: Any) -> list[Any]:
    """Returns the workflow's nodes; what the launcher keeps for the cache has no name."""
    details = run.run_details.task_details if run.run_details else None
    return [task for task in details or () if task.display_name]


def _steps(run: Any) -> dict[str, Any]:
    """Returns the steps of the pipeline by name, in the order of their ends."""
    nodes = {task.display_name: task for task in _details(run)}
    # Each step has a driver, and so has the whole of them.
    steps = [nodes[name] for name in nodes if f"{name}-driver" in nodes and name != _ROOT]
    return {task.display_name: task for task in sorted(steps, key=lambda task: str(task.end_time))}


def _duration(task: Any) -> str:
    if task.state != "SUCCEEDED":
        return str(task.state).lower()
    return f"{(task.end_time - task.start_time).total_seconds():.0f} s"


def _log(client: kfp.Client, run: Any, step: str) -> Iterator[str]:
    """Yields the lines of the log of a step's pod; none where the pod or its log is gone."""
    path = f"/apis/v1alpha1/runs/{run.run_id}/nodes/{_pod(run, step)}/log"
    try:
        (text,) = client._run_api.api_client.call_api(
            path,
            "GET",
            response_type="str",
            auth_settings=["Bearer"],
            _return_http_data_only=False,
        )[:1]
    except ApiException:
        return
    yield from (text or "").splitlines()


def _pod(run: Any, step: str) -> str:
    """Returns the name of the pod of a step's last attempt.

    The API tells of nodes what they are called and the ids of their children, and not their own.
    """
    nodes = {child.pod_name for task in _details(run) for child in task.child_tasks or ()}
    workflow = min(nodes, default="").rpartition("-")[0]

    def last_attempt(name: str) -> str:
        attempts = (f"{name}({number})" for number in itertools.count())
        made = itertools.takewhile(lambda each: f"{workflow}-{_hash(each)}" in nodes, attempts)
        # What cannot be retried has no attempts.
        return [name, *made][-1]

    node = last_attempt(workflow)
    for name in (_ROOT, step, "executor"):
        node = last_attempt(f"{node}.{name}")
    return f"{workflow}-{_POD_TEMPLATE}-{_hash(node)}"


def _hash(name: str) -> int:
    """Returns the FNV-1a hash of a node's name, with which Argo makes its id."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value
