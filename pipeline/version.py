"""The project's version."""

__all__ = ["VERSION"]

VERSION = "1.0.0"
