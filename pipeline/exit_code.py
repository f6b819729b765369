"""How a command ends."""

import enum

from transforms.base.errors import UserError


class ExitCode(enum.IntEnum):
    """Exit codes of the command line."""

    SUCCESS = 0
    FAULT = 1
    USER_MISTAKE = 2
    REFUSED_BY_MODEL_GATE = 3
    REFUSED_BY_DATA_GATE = 4
    INTERRUPTED = 130
    BROKEN_PIPE = 141


def outcome_of(mistake: UserError) -> ExitCode:
    """Returns how a command ends that a mistake stopped."""
    # By its name: the module of the class brings TFX.
    refused = type(mistake).__name__ == "DataGateError"
    return ExitCode.REFUSED_BY_DATA_GATE if refused else ExitCode.USER_MISTAKE
