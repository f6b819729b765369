"""Run-time parameters as the API takes them: with the types that the pipeline's spec gives them."""

import json
from collections.abc import Mapping
from typing import Any

import click

# What JSON calls a value of each type, and what Python reads it as.
_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "NUMBER_INTEGER": ("a whole number", (int,)),
    "NUMBER_DOUBLE": ("a number", (int, float)),
    "BOOLEAN": ("true or false", (bool,)),
    "LIST": ("a JSON list", (list,)),
    "STRUCT": ("a JSON object", (dict,)),
}


def typed(texts: Mapping[str, str], pipeline_spec: Mapping[str, Any]) -> dict[str, Any]:
    """Returns parameters with the types that a pipeline declares.

    Args:
        texts: Values as typed, by name.
        pipeline_spec: The pipeline, as the server has it.

    Raises:
        ClickException: There is no such parameter, or a value is not of its type.
    """
    # With a platform's own part beside it, the spec is a level deeper.
    spec = pipeline_spec.get("pipeline_spec", pipeline_spec)
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise click.ClickException(f"no run-time parameter {name!r}; there are: {known}")
        values[name] = _value(name, text, declared[name]["parameterType"])
    return values


def _value(name: str, text: str, kind: str) -> Any:
    if kind not in _TYPES:
        return text
    meaning, types = _TYPES[kind]
    mistake = click.ClickException(f"{name}={text}: must be {meaning}")
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError:
        raise mistake from None
    # By type(): a bool is an int, too.
    if type(value) not in types:
        raise mistake
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)
