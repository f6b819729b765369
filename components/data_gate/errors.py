"""What the data gate raises, importable without TFX."""

from collections.abc import Iterable

from transforms.base.errors import UserError

_BETWEEN = " | "


class DataGateError(UserError):
    """The data gate refuses the Examples: they do not fit the schema, or differ too much.

    The message says what is wrong and what to do, then names each feature and finding.
    """

    @classmethod
    def of(cls, reasons: Iterable[str]) -> "DataGateError":
        """Returns the error that has these `reasons`."""
        return cls(_BETWEEN.join(reasons))

    @property
    def reasons(self) -> list[str]:
        """What is wrong and what to do, then a finding each."""
        return str(self).split(_BETWEEN)
