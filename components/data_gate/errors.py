"""What the data gate raises, importable without TFX."""

from transforms.errors import UserError

__all__ = ["DataGateError"]


class DataGateError(UserError):
    """The data gate refuses the Examples: they have anomalies against the schema."""
