"""Settings that the trainers of this package share."""

import dataclasses

from components.training.config import LoopConfig
from transforms.base.settings import check, check_choice

__all__ = ["NetworkConfig"]


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

    hidden_units: tuple[int, ...]
    dropout: float = 0.0
    ensemble_size: int = 1
    schedule: str = "constant"

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        super().__post_init__()
        check(
            len(self.hidden_units) > 0 and min(self.hidden_units) >= 1,
            "hidden_units",
            self.hidden_units,
            "one or more widths of at least 1",
        )
        check(0 <= self.dropout < 1, "dropout", self.dropout, "at least 0 and below 1")
        check(self.ensemble_size >= 1, "ensemble_size", self.ensemble_size, "at least 1")
        check_choice("schedule", self.schedule, ("constant", "cosine"))
