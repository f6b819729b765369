"""What the templates of a report and of a model card are filled in with."""

from collections.abc import Callable
from typing import Any

import jinja2


def environment(figure: Callable[[Any], str], **options: Any) -> jinja2.Environment:
    """Returns the templates, which refuse a name that is not given.

    Args:
        figure: What the filter of that name makes of a value.
        **options: Jinja's own, such as `autoescape`.
    """
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.run.report"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    made.filters["figure"] = figure
    return made


def rounded(value: Any) -> str:
    """Returns a number rounded for people, and anything else as text."""
    if value is None:
        return "none"
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    whole = isinstance(value, int) or (value.is_integer() and abs(value) >= 10)
    return f"{value:,.0f}" if whole or abs(value) >= 1000 else f"{value:.4f}"
