"""Settings that the trainers of this package share."""

import dataclasses
from typing import Annotated

from components.training.config import LoopConfig
from transforms.base.settings import Must, OneOf, Range

_WIDTHS = Must("one or more widths of at least 1", lambda widths: min(widths, default=0) >= 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkConfig(LoopConfig):
    """How a model with a network of dense layers is built and trained.

    Attributes:
        hidden_units: Widths of the hidden layers.
        dropout: Share of hidden units dropped in training.
        ensemble_size: Models that are trained side by side and averaged.
        schedule: Of the learning rate. "constant", or "cosine": a linear warm-up over a twentieth
            of the steps, then half a cosine to 0.
    """

    hidden_units: Annotated[tuple[int, ...], _WIDTHS]
    dropout: Annotated[float, Range(at_least=0, below=1)] = 0.0
    ensemble_size: Annotated[int, Range(at_least=1)] = 1
    schedule: Annotated[str, OneOf("constant", "cosine")] = "constant"
