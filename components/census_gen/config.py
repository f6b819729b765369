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
        eval_percent: How many of 100 rows of `adult.csv`, one file that stands for both, are those
            of `adult.test`.
        validation_fraction: The share of rows that "validation" evaluates on.
        seed: Determines which rows of `adult.csv` are held out, and which "validation" evaluates
            on.
        max_bad_rows: How many malformed rows may go to the quarantine file; 0 refuses the first
            one.
    """

    holdout: Annotated[str, OneOf("test", "validation")] = "test"
    eval_percent: Annotated[int, Range(at_least=1, at_most=99)] = 33
    validation_fraction: Annotated[float, Range(above=0, below=1)] = 0.2
    seed: Seed = 0
    max_bad_rows: Annotated[int, Range(at_least=0)] = 0

    def split_identity(self, one_file: bool = False) -> dict[str, Any]:
        """Returns the settings that decide which rows are held out.

        Args:
            one_file: Whether the rows are those of `adult.csv`. Of "test" the two files decide.
        """
        names = ["holdout"]
        if self.holdout == "validation":
            names += ["validation_fraction", "seed"]
        if one_file:
            names += ["eval_percent", "seed"]
        return {name: getattr(self, name) for name in names}
