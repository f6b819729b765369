"""Settings as text: what each means, and `name=value` pairs applied to a PipelineConfig."""

import dataclasses
import math
import types
import typing
from collections.abc import Iterable
from typing import Any, NamedTuple

from docstring_parser import google

from pipeline.config import PipelineConfig, preset
from pipeline.pipelines.registry import definition
from transforms.base.errors import UserError
from transforms.base.settings import Rule, extras, nearest

PARTS = ("data", "trainer", "gate", "tuning", "bulk")
"""The attributes of a PipelineConfig that hold settings."""
_KINDS = {bool: "true or false", int: "a whole number", float: "a number"}
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def setting_values(config: PipelineConfig) -> dict[str, Any]:
    """Returns every setting of a pipeline by name; a name that two parts share stands once."""
    return {
        field.name: getattr(getattr(config, part), field.name)
        for part in PARTS
        for field in dataclasses.fields(getattr(config, part))
    }


class Meaning(NamedTuple):
    """A setting in words: what it is, and what completes "must be ..."."""

    what: str
    rule: str


def describe(config: PipelineConfig) -> dict[str, Meaning]:
    """Returns the meaning of every setting of a pipeline by name.

    What a setting is stands in the docstring of the class that declares it, or of a subclass that
    knows better. One that two parts share is what it is in both.
    """
    found: dict[str, Meaning] = {}
    for part in PARTS:
        kind = type(getattr(config, part))
        texts = {
            entry.arg_name: " ".join((entry.description or "").split())
            for base in reversed(kind.__mro__)
            for entry in google.parse(base.__doc__ or "").params
        }
        for name, rules in extras(kind, Rule).items():
            what = f"{found[name].what} {texts[name]}" if name in found else texts[name]
            rule = ", and ".join(rule.words for rule in rules)
            found[name] = Meaning(what, rule or _kind(typing.get_type_hints(kind)[name]))
    return found


def configure(pipeline: str, pairs: Iterable[str], dataset: str = "") -> PipelineConfig:
    """Returns a pipeline's preset with settings applied.

    Args:
        pipeline: The pipeline's name.
        pairs: As `apply_settings` takes them; `preset=NAME` among them chooses the preset.
        dataset: The data set, which chooses the preset where no pair does; "" for real data.

    Raises:
        UserError: As `preset` and `apply_settings` do.
    """
    name, settings = definition(pipeline).preset_for(dataset), []
    for pair in pairs:
        if pair.startswith("preset="):
            name = pair.partition("=")[2]
        else:
            settings.append(pair)
    return apply_settings(preset(pipeline, name), settings)


def apply_settings(config: PipelineConfig, pairs: Iterable[str]) -> PipelineConfig:
    """Returns `config` with settings replaced, all validated together.

    A name that several parts share, such as `seed`, is set in each of them.

    Args:
        config: What to start from.
        pairs: `name=value` texts. Widths and other lists are comma-separated; `none` unsets.

    Raises:
        UserError: A pair is malformed, a name unknown, or a value not allowed.
    """
    known = setting_values(config)
    changes: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise UserError(f"{pair}: must be name=value")
        if name not in known:
            raise UserError(
                f"{pair}: {config.pipeline} has no setting {name!r}"
                f"{nearest(name, known) or '; see: python -m pipeline settings ' + config.pipeline}"
            )
        changes[name] = text
    parts = {}
    for part in PARTS:
        current = getattr(config, part)
        hints = typing.get_type_hints(type(current))
        names = {field.name for field in dataclasses.fields(current)} & changes.keys()
        parts[part] = dataclasses.replace(
            current, **{name: _parse(name, changes[name], hints[name]) for name in names}
        )
    return dataclasses.replace(config, **parts)


def _kind(hint: Any) -> str:
    if isinstance(hint, types.UnionType):
        return f"{_KINDS[typing.get_args(hint)[0]]} or none"
    return _KINDS[hint]


def _parse(name: str, text: str, hint: Any) -> Any:
    """Returns `text` as a value of the annotated type: int, float, bool, str, tuple or optional."""
    if isinstance(hint, types.UnionType):
        if text.lower() == "none":
            return None
        hint = next(kind for kind in typing.get_args(hint) if kind is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        entries = text.split(",") if text.strip() else []
        return tuple(_parse(name, entry.strip(), item) for entry in entries)
    try:
        if hint is bool:
            return _TRUTH[text.lower()]
        value = hint(text)
        if hint is float and not math.isfinite(value):
            raise ValueError(text)
        return value
    except (KeyError, ValueError):
        raise UserError(f"{name}={text!r}: must be {_KINDS[hint]}") from None
