"""Search spaces around the trainer's settings, which are the default of every dimension."""

from typing import Any

import keras_tuner


def around(space: keras_tuner.HyperParameters, config: Any, setting: str, factor: float) -> None:
    """Adds a positive number: from its value divided by `factor` to `factor` times as much.

    Args:
        space: What to add to.
        config: The trainer's settings.
        setting: Which of them, a float.
        factor: Above 1; the logarithm is drawn uniformly.
    """
    own = getattr(config, setting)
    space.Float(setting, own / factor, own * factor, sampling="log", default=own)


def among(
    space: keras_tuner.HyperParameters, config: Any, setting: str, *others: int | float
) -> None:
    """Adds a choice between the setting's value and others of the same type."""
    own = getattr(config, setting)
    space.Choice(setting, sorted({own, *others}), default=own)
