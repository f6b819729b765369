"""How a step on Kubeflow Pipelines ends, for those who read its pod's log."""

import sys
from collections.abc import Callable

from pipeline.exit_code import ExitCode, outcome_of
from transforms.base.errors import find_user_error


def end_step(work: Callable[[], None]) -> ExitCode:
    """Does a step's work and returns its exit code, which is that of the command line.

    A mistake of a user's, or a refusal by the data gate, is the last line that is written; a fault
    keeps its traceback.
    """
    try:
        work()
    except Exception as error:
        mistake = find_user_error(error)
        if mistake is None:
            raise
        print(f"error: {mistake}", file=sys.stderr)
        return outcome_of(mistake)
    return ExitCode.SUCCESS
