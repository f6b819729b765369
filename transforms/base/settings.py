"""Settings: frozen dataclasses whose fields say what they may be, and their JSON."""

import dataclasses
import difflib
import inspect
import json
import typing
from collections.abc import Callable, Collection, Mapping
from operator import ge, gt, le, lt
from typing import Annotated, Any, TypeVar

from transforms.base.errors import UserError

_Config = TypeVar("_Config")

# The limits of a Range, in the order of its words.
_SIDES = {"at_least": ge, "above": gt, "at_most": le, "below": lt}


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


def nearest(name: str, known: Collection[str]) -> str:
    """Returns "; did you mean X?" for the known name closest to `name`, or ""."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


@dataclasses.dataclass(frozen=True)
class Must:
    """A rule in words, which complete "must be ...", and whether a value keeps it."""

    words: str
    holds: Callable[[Any], bool]

    def check(self, name: str, value: object) -> None:
        """Raises UserError unless the value of the setting `name` keeps the rule."""
        check(self.holds(value), name, value, self.words)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Range:
    """The rule that a number lies between limits.

    Attributes:
        at_least: The lowest that is allowed.
        above: The highest that is too low.
        at_most: The highest that is allowed.
        below: The lowest that is too high.
        of: What follows the limits in words: a unit, or why they are there.
    """

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    of: str = ""

    @property
    def words(self) -> str:
        """What the number must be, such as "above 0 and below 1"."""
        limits = self._limits()
        if limits.keys() == {"at_least", "at_most"}:
            return f"from {self.at_least} to {self.at_most}{self.of}"
        told = (f"{side.replace('_', ' ')} {limit}" for side, limit in limits.items())
        return " and ".join(told) + self.of

    def check(self, name: str, value: float) -> None:
        """Raises UserError unless the value of the setting `name` lies between the limits."""
        # No NaN does: it compares to nothing.
        holds = all(_SIDES[side](value, limit) for side, limit in self._limits().items())
        check(holds, name, value, self.words)

    def _limits(self) -> dict[str, float]:
        return {side: limit for side in _SIDES if (limit := getattr(self, side)) is not None}


class OneOf:
    """The rule that a text is one of some names."""

    def __init__(self, *choices: str):
        self.choices = choices

    @property
    def words(self) -> str:
        """All names."""
        return f"one of {', '.join(self.choices)}"

    def check(self, name: str, value: str) -> None:
        """Raises UserError, with the nearest name, unless `value` of `name` is one of them."""
        hint = nearest(value, self.choices)
        check(value in self.choices, name, value, self.words + hint)


Rule = Must | Range | OneOf

Seed = Annotated[int, Range(at_least=0, at_most=2**32 - 1)]
"""What numpy and TensorFlow take: 32 bits, unsigned."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all settings, whose rules annotate their types.

    A rule holds in all subclasses, also where they give the setting another default.
    """

    def __post_init__(self) -> None:
        """Raises UserError for a value that breaks a rule; a subclass adds those between fields."""
        for name, rules in extras(type(self), Rule).items():
            for rule in rules:
                rule.check(name, getattr(self, name))


def extras(cls: type, kind: Any) -> dict[str, list[Any]]:
    """Returns what of a kind annotates each field, that of base classes first."""
    found: dict[str, list[Any]] = {}
    for base in reversed(cls.__mro__):
        for name, hint in inspect.get_annotations(base).items():
            metadata = getattr(hint, "__metadata__", ())
            found.setdefault(name, []).extend(x for x in metadata if isinstance(x, kind))
    return found


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
    """Builds and validates `cls` from the text that `to_json` wrote."""
    return _decoded(cls, json.loads(text))


def _decoded(hint: Any, value: Any) -> Any:
    """Returns what JSON made of a value of the annotated type as that type."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{name: _decoded(hints[name], entry) for name, entry in value.items()})
    if typing.get_origin(hint) is tuple:
        return tuple(_decoded(typing.get_args(hint)[0], entry) for entry in value)
    return value
