"""Settings of the census ExampleGen."""

from dataclasses import dataclass
from typing import Any

from transforms.base.settings import check, check_choice, check_seed

__all__ = ["CensusConfig"]


@dataclass(frozen=True, kw_only=True)
class CensusConfig:
    """Which rows a model is trained on and which it is evaluated on.

    Attributes:
        holdout: "test" trains on `adult.data` and evaluates on `adult.test`. "validation" takes
            both splits from `adult.data`, and `adult.test` is not read: for choosing settings.
        validation_fraction: The share of rows, above 0 and below 1, that "validation" evaluates
            on.
        seed: Determines which rows those are.
        max_bad_rows: How many malformed rows may go to the quarantine file; 0 refuses the first
            one.
    """

    holdout: str = "test"
    validation_fraction: float = 0.2
    seed: int = 0
    max_bad_rows: int = 0

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        check_choice("holdout", self.holdout, ("test", "validation"))
        check(
            0 < self.validation_fraction < 1,
            "validation_fraction",
            self.validation_fraction,
            "above 0 and below 1",
        )
        check_seed(self.seed)
        check(self.max_bad_rows >= 0, "max_bad_rows", self.max_bad_rows, "at least 0")

    def split_identity(self) -> dict[str, Any]:
        """Returns the settings that decide which rows are held out: of "test" the files do."""
        if self.holdout == "test":
            return {"holdout": self.holdout}
        names = ("holdout", "validation_fraction", "seed")
        return {name: getattr(self, name) for name in names}
