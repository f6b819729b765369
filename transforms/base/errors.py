"""The one error type that means "the input or a setting is wrong, not the program"."""

import re
from collections.abc import Iterator

_IN_TEXT = re.compile(r"UserError: (?P<message>[^\n]+?)(?: \[while running|\\n|\n|$)")
_BEAM_SUFFIX = re.compile(r" \[while running .*\Z", re.DOTALL)


class UserError(ValueError):
    """A mistake that its user can mend.

    The message is one line: what is wrong, where (file and line, field, value) and what to do.
    It is the only argument, so that Beam can raise the error again with its own text appended.
    """

    @property
    def reasons(self) -> list[str]:
        """The message as a list, for those who have room for more than a line."""
        return [str(self)]


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yields `error` and what led to it, the last first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def find_user_error(error: BaseException) -> UserError | None:
    """Returns the `UserError` that caused `error`, or None when there is none.

    An error crosses Beam in three ways: as itself, as a cause, or, from another process, as
    text inside a RuntimeError. All three end here as the bare one-line message.
    """
    for current in causes(error):
        if isinstance(current, UserError):
            return type(current)(_BEAM_SUFFIX.sub("", str(current)))
        in_text = _IN_TEXT.search(str(current))
        if in_text:
            return UserError(in_text["message"])
    return None
