"""A small, made-up data set in ml-1m's format, with structure worth learning.

Nothing in it is from real data. Films have popularity, quality and a place in a space of tastes
that follows from their genres; users have moods and tastes. What a user watches, and how it is
rated, depends on all of them.
"""

import os

import numpy as np

_USERS = 600
_ITEMS = 400
_FEWEST, _MOST = 20, 80
_FIRST_DAY, _DAYS, _DAY = 956_700_000, 900, 86_400

_GENRES = (
    "Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir "
    "Horror IMAX Musical Mystery Romance Sci-Fi Thriller War Western"
)
_OPENINGS = (
    "Amber Broken Café Distant Écho Frozen Golden Hidden Iron Jolly Königs Lost Midnight Naïve "
    "Orange Paper Quiet Río Silver Twelve"
)
_SUBJECTS = (
    "Bridge Carnival Detective Engine Fiancée Garden Harbour Island Jury Kitchen Letter Mountain "
    "Neighbour Orchard Passage Quartet River Señor Train Voyage"
)


def write_sample(folder: str, seed: int = 0) -> None:
    """Writes `ratings.dat` and `movies.dat` into an existing folder; one seed, one content.

    Args:
        folder: Where to write.
        seed: Determines every byte.
    """
    rng = np.random.default_rng(seed)
    genres = _draw_genres(rng)
    lines = _movie_lines(genres, rng)
    item_ids = _with_gaps(rng)
    _write(folder, "movies.dat", [f"{i}::{line}" for i, line in zip(item_ids, lines, strict=True)])
    _write(folder, "ratings.dat", _rating_lines(genres, item_ids, rng))


def _draw_genres(rng: np.random.Generator) -> np.ndarray:
    """Returns bool[items, genres]: a few for each film, each genre used."""
    width = len(_GENRES.split())
    order = rng.random((_ITEMS, width)).argsort(axis=1).argsort(axis=1)
    order[np.arange(_ITEMS), np.arange(_ITEMS) % width] = 0
    return order < rng.integers(1, 4, (_ITEMS, 1))


def _with_gaps(rng: np.random.Generator) -> np.ndarray:
    """Returns increasing ids from 1 on that leave some out, as those of ml-1m do."""
    return np.cumsum(rng.choice([1, 1, 1, 2, 5], _ITEMS))


def _movie_lines(genres: np.ndarray, rng: np.random.Generator) -> list[str]:
    names = [f"{first} {last}" for first in _OPENINGS.split() for last in _SUBJECTS.split()]
    years = rng.integers(1930, 2001, _ITEMS)
    articles = rng.choice(["", ", The", ", A"], _ITEMS)
    return [
        f"{names[at]}{articles[i]} ({years[i]})::"
        + "|".join(name for name, has in zip(_GENRES.split(), genres[i], strict=True) if has)
        for i, at in enumerate(rng.permutation(len(names))[:_ITEMS])
    ]


def _rating_lines(genres: np.ndarray, item_ids: np.ndarray, rng: np.random.Generator) -> list[str]:
    interest = _affinity(genres, 6, rng)
    verdict = _affinity(genres, 2, rng)
    popularity = rng.normal(scale=0.7, size=_ITEMS)
    quality = 0.4 * popularity + rng.normal(scale=0.35, size=_ITEMS)
    mood = rng.normal(scale=0.35, size=_USERS)
    # The k largest of logits with Gumbel noise are a draw of k without replacement.
    drawn = popularity + 4.0 * interest + rng.gumbel(size=interest.shape)
    stars = 3.1 + mood[:, None] + quality + 0.5 * interest + 1.1 * verdict
    stars = np.clip(np.rint(stars + rng.normal(scale=0.6, size=stars.shape)), 1, 5).astype(int)
    lines = []
    for user in range(_USERS):
        watched = np.argsort(-drawn[user])[: rng.integers(_FEWEST, _MOST + 1)]
        rng.shuffle(watched)
        # An evening or two of rating: seconds apart, often within the same one.
        start = _FIRST_DAY + rng.integers(_DAYS) * _DAY
        times = start + np.cumsum(rng.choice([0, 7, 21, 45, _DAY], len(watched)))
        lines += [
            f"{user + 1}::{item_ids[item]}::{stars[user, item]}::{time}"
            for item, time in zip(watched, times, strict=True)
        ]
    return lines


def _affinity(genres: np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    """Returns float[users, items] in -1..1: cosines of users and items in a space of tastes.

    An item's place is that of its genres, and a little of its own.
    """
    items = genres @ rng.normal(size=(genres.shape[1], width))
    items /= np.sqrt(genres.sum(axis=1, keepdims=True))
    items += rng.normal(scale=0.4, size=items.shape)
    users = rng.normal(size=(_USERS, width))
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    users /= np.linalg.norm(users, axis=1, keepdims=True)
    return users @ items.T


def _write(folder: str, name: str, lines: list[str]) -> None:
    with open(os.path.join(folder, name), "w", encoding="latin-1", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
