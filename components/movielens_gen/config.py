"""Settings of the MovieLens ExampleGen."""

import contextlib
from dataclasses import dataclass
from typing import Annotated, Any

from transforms.base.settings import Must, OneOf, Range, Seed, Settings, check
from transforms.parsing.rating_header import parse_columns
from transforms.parsing.rating_rules import parse_scale

HOLD_BACK = {"test": 1, "validation": 2}
"""Which of a user's interactions `holdout` names, counted from the last."""


def _are_columns(columns: str) -> bool:
    with contextlib.suppress(ValueError):
        parse_columns(columns)
        return True
    return False


def _is_scale(scale: str) -> bool:
    with contextlib.suppress(ValueError):
        return not scale or bool(parse_scale(scale))
    return False


Columns = Annotated[
    str,
    Must(
        "of the form user:NAME,item:NAME,rating:NAME,time:NAME, with different names in the "
        "file's header, or numbers from 1, in all places; rating and time may lack",
        _are_columns,
    ),
]
"""Which column is which; "" finds them by the names that are in use."""

GLOBAL_TIME = "global_time"
SplitTime = Annotated[int, Range(at_least=0)]

_LEFT = ", so that something is left to train on"


def _check_split_time(split: str, split_time: int) -> None:
    by_time = split == GLOBAL_TIME
    check(
        by_time == (split_time > 0),
        "split_time",
        split_time,
        f"above 0, as split={GLOBAL_TIME} splits at it"
        if by_time
        else f"0 unless split={GLOBAL_TIME}",
    )


@dataclass(frozen=True, kw_only=True)
class LeaveOneOutConfig(Settings):
    """An Example per user, whose held-out item is to be ranked above sampled negatives.

    Attributes:
        min_ratings: Users with fewer distinct items are dropped. The holdout "validation" needs at
            least 3.
        eval_negatives: Negatives that the held-out item is ranked against.
        holdout: "test" holds out each user's last item. "validation" holds out the one before
            it, and the last is then neither trained on nor a negative of that user.
        split: "leave_one_out" trains on all other items of all users, be they from after a held-out
            one. "global_time" trains on what was before `split_time` alone: "test" then holds out
            each user's first item from that time on, and "validation" the last before it.
        split_time: When "global_time" splits, in seconds since 1970, whatever the data's unit.
        seed: Determines the negatives that are ranked.
        max_bad_rows: How many malformed ratings may go to the quarantine file; 0 refuses the
            first one.
        string_ids: Whether ids are text, at most 256 bytes of UTF-8, and not integers. Text is
            compared byte by byte: "1" and "01" are two ids.
        columns: Which column of a ratings file is which, such as "user:User-ID,item:ISBN", with a
            header's names or numbers from 1. Without it, they are found by names in common use.
            Without time, items come in an order drawn by a hash.
        min_rating: Ratings, or counts, that are less are no interactions. 0 takes every row, and
            refuses those that have 0 or less.
        full_users: About how many users are drawn, by a hash, for the ranking among all items,
            which takes a score for each item. Where there are no more, or if it is 0, all are.
    """

    min_ratings: Annotated[int, Range(at_least=2, of=_LEFT)] = 20
    eval_negatives: Annotated[
        int, Range(at_least=10, of="; among fewer every item is one of the first ten")
    ] = 100
    holdout: Annotated[str, OneOf(*HOLD_BACK)] = "test"
    split: Annotated[str, OneOf("leave_one_out", GLOBAL_TIME)] = "leave_one_out"
    split_time: SplitTime = 0
    seed: Seed = 0
    max_bad_rows: Annotated[int, Range(at_least=0)] = 0
    string_ids: bool = False
    columns: Columns = ""
    min_rating: Annotated[float, Range(at_least=0)] = 0.0
    full_users: Annotated[int, Range(at_least=0)] = 10_000

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        super().__post_init__()
        fewest = Range(at_least=1 + HOLD_BACK[self.holdout], of=_LEFT)
        fewest.check("min_ratings", self.min_ratings)
        _check_split_time(self.split, self.split_time)

    def split_identity(self) -> dict[str, Any]:
        """Returns the settings that decide what is held out and ranked: not the seed."""
        names = ["holdout", "min_ratings", "eval_negatives", "string_ids"]
        names += [name for name in ("columns", "min_rating") if getattr(self, name)]
        names += ["full_users"] if self.full_users != LeaveOneOutConfig.full_users else []
        if self.split == GLOBAL_TIME:
            names += ["split", "split_time"]
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class RatingSplitConfig(Settings):
    """An Example per user, whose ratings are split at random but for good, or by time.

    Attributes:
        eval_percent: How many of 100 ratings are evaluated on.
        holdout: "test" trains on all ratings that are not evaluated on. "validation" evaluates on
            as large a share of those, and leaves out what "test" evaluates on: for choosing
            settings.
        split: "random" draws by a hash of user and item. "global_time" trains on what was before
            `split_time` alone: "test" then evaluates on all that came later, whatever
            `eval_percent`, and "validation" on the last whole days before it.
        split_time: When "global_time" splits, in seconds since 1970, whatever the data's unit.
        seed: Determines which ratings are drawn.
        max_unmatched: How many ratings may be left out because their movie is not in the movies
            file.
        max_bad_rows: How many malformed ratings may go to the quarantine file; 0 refuses the
            first one. A malformed movie is refused in any case.
        rating_scale: The least and the greatest rating of the data, such as "1:10". They become the
            least and the most stars, 0.5 and 5, and what lies between in proportion; RMSE and
            predictions are in stars. "" takes stars.
        columns: Which column of a ratings file is which, such as
            "user:User-ID,item:ISBN,rating:Book-Rating,time:Date", with a header's names or numbers
            from 1. Without it, they are found by names in common use. Without time, each is 0.
    """

    eval_percent: Annotated[int, Range(at_least=1, at_most=99)] = 20
    holdout: Annotated[str, OneOf(*HOLD_BACK)] = "test"
    split: Annotated[str, OneOf("random", GLOBAL_TIME)] = "random"
    split_time: SplitTime = 0
    seed: Seed = 0
    max_unmatched: Annotated[int, Range(at_least=0)] = 0
    max_bad_rows: Annotated[int, Range(at_least=0)] = 0
    rating_scale: Annotated[
        str, Must('of the form LEAST:MOST, two numbers that rise, such as "1:10"', _is_scale)
    ] = ""
    columns: Columns = ""

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        super().__post_init__()
        _check_split_time(self.split, self.split_time)

    def split_identity(self) -> dict[str, Any]:
        """Returns the settings that decide which ratings are held out."""
        names = ["holdout", "eval_percent"]
        names += ["split", "split_time"] if self.split == GLOBAL_TIME else ["seed"]
        names += ["rating_scale"] if self.rating_scale else []
        return {name: getattr(self, name) for name in names}
