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


_REFUSALS = {
    "DataGateError": ExitCode.REFUSED_BY_DATA_GATE,
    "UnservableModelError": ExitCode.REFUSED_BY_MODEL_GATE,
}


def outcome_of(mistake: UserError) -> ExitCode:
    """Returns how a command ends that a mistake stopped."""
    # By their names: the modules of the classes bring TFX.
    return _REFUSALS.get(type(mistake).__name__, ExitCode.USER_MISTAKE)
