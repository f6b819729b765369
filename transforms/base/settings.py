"""Validation and JSON for settings: frozen dataclasses whose errors name field, value and rule."""

import dataclasses
import difflib
import json
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from transforms.base.errors import UserError

__all__ = ["check", "check_choice", "check_seed", "from_json", "nearest", "override", "to_json"]

_Config = TypeVar("_Config")


def check(condition: bool, field: str, value: object, rule: str) -> None:
    """Raises UserError unless `condition` holds; `rule` completes "must be ...".

    Args:
        condition: What has to be true.
        field: The setting's name, as the user writes it.
        value: The value that was given.
        rule: What the value must be, such as "at least 1".
    """
    if not condition:
        raise UserError(f"{field}={value!r}: must be {rule}")


def check_choice(field: str, value: str, choices: Collection[str]) -> None:
    """Raises UserError, with the nearest name, unless `value` is one of `choices`."""
    if value not in choices:
        raise UserError(
            f"{field}={value!r}: must be one of {', '.join(choices)}{nearest(value, choices)}"
        )


def check_seed(seed: int) -> None:
    """Raises UserError unless `seed` is one that numpy and TensorFlow take: 32 bits, unsigned."""
    check(0 <= seed < 2**32, "seed", seed, f"from 0 to {2**32 - 1}")


def nearest(name: str, known: Collection[str]) -> str:
    """Returns "; did you mean X?" for the known name closest to `name`, or ""."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def to_json(config: Any) -> str:
    """Returns a dataclass as JSON with sorted keys, so that equal settings are equal text."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def override(text: str, names: Collection[str], values: Mapping[str, Any]) -> str:
    """Returns the text that `to_json` wrote with some settings replaced.

    Args:
        text: The settings.
        names: Those that may be replaced.
        values: By name; names that are not there keep their setting, others are left out.
    """
    chosen = {name: values[name] for name in names if name in values}
    return json.dumps({**json.loads(text), **chosen}, sort_keys=True)


def from_json(cls: type[_Config], text: str) -> _Config:
    """Builds and validates `cls` from the text that `to_json` wrote; lists become tuples."""
    values = json.loads(text)
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
