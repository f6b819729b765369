"""Settings of the census ExampleGen."""

from dataclasses import dataclass
from typing import Annotated, Any

from transforms.base.settings import OneOf, Range, Seed, Settings


@dataclass(frozen=True, kw_only=True)
class CensusConfig(Settings):
    """Which rows a model is trained on and which it is evaluated on.

    Attributes:
        holdout: "test" trains on `adult.data` and evaluates on `adult.test`. "validation" takes
            both splits from `adult.data`, and `adult.test` is not read: for choosing settings.
        validation_fraction: The share of rows that "validation" evaluates on.
        seed: Determines which rows "validation" evaluates on.
        max_bad_rows: How many malformed rows may go to the quarantine file; 0 refuses the first
            one.
    """

    holdout: Annotated[str, OneOf("test", "validation")] = "test"
    validation_fraction: Annotated[float, Range(above=0, below=1)] = 0.2
    seed: Seed = 0
    max_bad_rows: Annotated[int, Range(at_least=0)] = 0

    def split_identity(self) -> dict[str, Any]:
        """Returns the settings that decide which rows are held out: of "test" the files do."""
        if self.holdout == "test":
            return {"holdout": self.holdout}
        names = ("holdout", "validation_fraction", "seed")
        return {name: getattr(self, name) for name in names}
