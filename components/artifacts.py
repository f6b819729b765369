"""Types of what TFX passes to an executor."""

from typing import Any

from tfx import types

Artifacts = dict[str, list[types.Artifact]]
"""Inputs or outputs by their keys."""

Properties = dict[str, Any]
"""Execution properties by their names."""
