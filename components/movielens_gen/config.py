"""Settings of the MovieLens ExampleGen."""

from dataclasses import dataclass
from typing import Any

from transforms.base.settings import check, check_choice, check_seed

__all__ = ["HOLD_BACK", "LeaveOneOutConfig", "RatingSplitConfig"]

HOLD_BACK = {"test": 1, "validation": 2}
"""Which of a user's interactions `holdout` names, counted from the last."""


@dataclass(frozen=True, kw_only=True)
class LeaveOneOutConfig:
    """An Example per user, whose held-out item is to be ranked above sampled negatives.

    Attributes:
        min_ratings: Users with fewer distinct items are dropped.
        eval_negatives: Negatives that the held-out item is ranked against.
        holdout: "test" holds out each user's last item. "validation" holds out the one before
            it, and the last is then neither trained on nor a negative of that user.
        seed: Determines the negatives.
        max_bad_rows: How many malformed ratings may go to the quarantine file; 0 refuses the
            first one.
        string_ids: Whether ids are text, at most 256 bytes of UTF-8, and not integers. Text is
            compared byte by byte: "1" and "01" are two ids.
    """

    min_ratings: int = 20
    eval_negatives: int = 100
    holdout: str = "test"
    seed: int = 0
    max_bad_rows: int = 0
    string_ids: bool = False

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        check_choice("holdout", self.holdout, HOLD_BACK)
        fewest = 1 + HOLD_BACK[self.holdout]
        check(
            self.min_ratings >= fewest,
            "min_ratings",
            self.min_ratings,
            f"at least {fewest}, so that something is left to train on",
        )
        check(
            self.eval_negatives >= 10,
            "eval_negatives",
            self.eval_negatives,
            "at least 10; among fewer every item is one of the first ten",
        )
        check_seed(self.seed)
        check(self.max_bad_rows >= 0, "max_bad_rows", self.max_bad_rows, "at least 0")

    def split_identity(self) -> dict[str, Any]:
        """Returns the settings that decide what is held out and ranked: not the seed."""
        names = ("holdout", "min_ratings", "eval_negatives", "string_ids")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class RatingSplitConfig:
    """An Example per rating, split at random but for good.

    Attributes:
        eval_percent: How many of 100 ratings are evaluated on, 1 to 99.
        holdout: "test" trains on all others. "validation" evaluates on as large a share of those
            others, and leaves out what "test" evaluates on: for choosing settings.
        seed: Determines which ratings those are.
        max_unmatched: How many ratings may be left out because their movie is not in the movies
            file.
        max_bad_rows: How many malformed ratings may go to the quarantine file; 0 refuses the
            first one. A malformed movie is refused in any case.
    """

    eval_percent: int = 20
    holdout: str = "test"
    seed: int = 0
    max_unmatched: int = 0
    max_bad_rows: int = 0

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        check(0 < self.eval_percent < 100, "eval_percent", self.eval_percent, "from 1 to 99")
        check_choice("holdout", self.holdout, HOLD_BACK)
        check_seed(self.seed)
        check(self.max_bad_rows >= 0, "max_bad_rows", self.max_bad_rows, "at least 0")
        check(self.max_unmatched >= 0, "max_unmatched", self.max_unmatched, "at least 0")

    def split_identity(self) -> dict[str, Any]:
        """Returns the settings that decide which ratings are held out."""
        return {name: getattr(self, name) for name in ("holdout", "eval_percent", "seed")}
