"""What values of ratings are let through."""

from typing import NamedTuple

import numpy as np

from transforms.parsing.rating_scale import FEWEST_STARS, MOST_STARS

_LEAST, _MOST = (float(limit) for limit in (np.finfo(np.float32).tiny, np.finfo(np.float32).max))


class RatingRules(NamedTuple):
    """What values are let through, and of which types they are.

    Attributes:
        string_ids: Whether ids are text, in UTF-8, and not integers: "1" and "01" differ then.
        least: The least rating.
        most: The greatest.
        fault: What a rating is that is less or greater, as the end of "is ...".
        remedy: What to do about it.
        microseconds: Whether times are given in microseconds since 1970, and not in seconds.
        needs_rating: Whether a file without ratings is refused; otherwise each of its ratings is 1.
    """

    string_ids: bool = False
    least: float = FEWEST_STARS
    most: float = MOST_STARS
    fault: str = f"not from {FEWEST_STARS:g} to {MOST_STARS:g}"
    remedy: str = "bring all ratings to that scale (of up to 10, rating_scale=1:10 does it)"
    microseconds: bool = False
    needs_rating: bool = True


STARS = RatingRules()
"""Stars of MovieLens, with times in seconds."""


def parse_scale(text: str) -> tuple[float, float]:
    """Returns the least and the greatest rating of a scale "LEAST:MOST"; raises ValueError."""
    least, most = (float(end) for end in text.split(":"))
    if not -_MOST <= least < most <= _MOST:
        raise ValueError(text)
    return least, most


def on_scale(text: str) -> RatingRules:
    """Returns the rules for ratings of a scale that `parse_scale` takes, with times in seconds."""
    least, most = parse_scale(text)
    return RatingRules(
        least=least,
        most=most,
        fault=f"not from {least:g} to {most:g}",
        remedy="bring all ratings to that scale, or set rating_scale to theirs",
    )


def to_stars(rating: np.ndarray, scale: str) -> np.ndarray:
    """Returns ratings of a scale as stars, its ends as the ends of theirs, float32[n]."""
    least, most = parse_scale(scale)
    share = (rating.astype(np.float64) - least) / (most - least)
    return (FEWEST_STARS + share * (MOST_STARS - FEWEST_STARS)).astype(np.float32)


def interactions(string_ids: bool, any_rating: bool) -> RatingRules:
    """Returns the rules for ratings that only tell that there was something.

    Args:
        string_ids: Whether ids are text.
        any_rating: Whether a rating of 0 or less, too, is known to mean something.
    """
    return RatingRules(
        string_ids=string_ids,
        least=-_MOST if any_rating else _LEAST,
        most=_MOST,
        fault="not above 0, so that it may mean no interaction at all",
        remedy="say what counts with min_rating, such as min_rating=1, or leave rating out of "
        "columns to take every row",
        microseconds=True,
        needs_rating=False,
    )
