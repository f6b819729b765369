"""How a command ends."""

import enum

__all__ = ["ExitCode"]


class ExitCode(enum.IntEnum):
    """Exit codes of the command line."""

    PUSHED = 0
    FAULT = 1
    USER_MISTAKE = 2
    REFUSED_BY_MODEL_GATE = 3
    REFUSED_BY_DATA_GATE = 4
    INTERRUPTED = 130
