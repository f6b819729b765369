"""The rank of the held-out item among its candidates, and what follows from a rank."""

import math

import numpy as np

K = 10
"""How many places count."""

HIT_RATE = f"hit_rate_at_{K}"
NDCG = f"ndcg_at_{K}"


def rank_of_held_out(
    labels: np.ndarray, scores: np.ndarray, items: np.ndarray | None = None
) -> float:
    """Returns the 1-based rank of the one positive candidate, ties counted against it.

    rank = 1 + #(negatives scored higher) + #(negatives scored equal), so that a model which gives
    every candidate the same score ranks the positive last. A model may pad its scores beyond the
    user's candidates; what lies past `len(labels)` is not looked at.

    Args:
        labels: float[n], 1 for the held-out item and 0 for the rest.
        scores: float[m] with m >= n, higher is better.
        items: int[n], the candidates' ids. Negatives with the held-out item's own id are left out,
            as He et al. (2017) do for the 156 such users in their published test file.

    Returns:
        The rank, or NaN when a score of the user's candidates is not finite.

    Raises:
        ValueError: there is not exactly one positive among at least two candidates, or there are
            fewer scores than labels.
    """
    count = len(labels)
    positives = np.flatnonzero(labels > 0)
    if count < 2 or len(positives) != 1:
        raise ValueError(
            f"a ranked list needs one positive among at least two candidates, "
            f"not {len(positives)} among {count}"
        )
    if len(scores) < count:
        raise ValueError(f"the model gave {len(scores)} scores for {count} candidates")
    scores = scores[:count]
    if not np.isfinite(scores).all():
        return math.nan
    positive = positives[0]
    at_least_as_high = scores >= scores[positive]
    at_least_as_high[positive] = False
    if items is not None:
        at_least_as_high &= items != items[positive]
    return 1.0 + float(np.count_nonzero(at_least_as_high))


def count_negatives(labels: np.ndarray, items: np.ndarray | None = None) -> int:
    """Returns how many candidates the held-out item is ranked against.

    Args:
        labels: As for `rank_of_held_out`, but of any length.
        items: As for `rank_of_held_out`.
    """
    negatives = labels <= 0
    if items is not None:
        # One is held out, so that this takes a fifth of np.isin's time.
        negatives &= (items[:, np.newaxis] != items[labels > 0]).all(axis=1)
    return int(np.count_nonzero(negatives))


def hit(rank: float, k: int) -> float:
    """Returns 1.0 when `rank` is within the first `k`, else 0.0; NaN stays NaN."""
    return rank if math.isnan(rank) else float(rank <= k)


def ndcg(rank: float, k: int) -> float:
    """Returns NDCG@k for one relevant item: 1 / log2(rank + 1) within the first `k`, else 0.0.

    With a single relevant item the ideal gain is 1 (Järvelin and Kekäläinen, 2002). NaN stays NaN.
    """
    if math.isnan(rank):
        return rank
    return 1.0 / math.log2(rank + 1.0) if rank <= k else 0.0


def reciprocal_rank(rank: float, k: int) -> float:
    """Returns 1 / rank, whatever k; NaN stays NaN."""
    del k
    return 1.0 / rank
