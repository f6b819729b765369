"""Workload: popularity and EASE in a few lines of numpy, on the Examples of ncf.

What they measure is computed without a line of what the Evaluator does it with.
"""

import tempfile
from typing import NamedTuple

import numpy as np
import scipy.linalg
import tensorflow as tf

from benchmarks.examples import write_leave_one_out
from benchmarks.timing import Timing, timed
from components.ncf_trainer import features
from components.training.transformed_data import read_examples

# On ml-1m with holdout=validation the best of NDCG@10, of 100, 200, 500, 1000 and 2000.
_RIDGE = 1000.0


class Figures(NamedTuple):
    """What a ranking measures.

    Attributes:
        hit_rate_at_10: Among the candidates.
        ndcg_at_10: Among the candidates.
        full_hit_rate: HR@10 among all items that are not in the history.
        full_ndcg: NDCG@10 among the same.
        coverage: See the metrics of `components.ranking_metrics.catalogue`, at 10.
        popularity: As coverage.
        diversity: As coverage.
    """

    hit_rate_at_10: float
    ndcg_at_10: float
    full_hit_rate: float
    full_ndcg: float
    coverage: float
    popularity: float
    diversity: float


class Users(NamedTuple):
    """Who is evaluated on.

    Attributes:
        had: Whether an item is in a user's history, float32 [users, items].
        candidates: Items, the held-out one first, int64 [users, longest]; the number of items is
            one that is in no history, and -1 none at all.
    """

    had: np.ndarray
    candidates: np.ndarray


def rank(folder: str, model: str) -> Timing:
    """Times the making of a model of histories, with what it measures on the held-out items.

    Args:
        folder: The data set's folder.
        model: A key of MODELS.
    """
    with tempfile.TemporaryDirectory() as uri:
        write_leave_one_out(folder, uri)
        users = read_users(uri)
    scores = []
    seconds = timed(lambda: scores.append(MODELS[model](users.had)), repeats=1)
    return Timing(seconds, len(users.had), figures=figures(scores[0], users)._asdict())


def read_users(uri: str) -> Users:
    """Returns what the split eval of an Examples artifact holds."""
    spec = dict.fromkeys((features.HISTORY, features.ITEM_ID), tf.io.RaggedFeature(tf.int64))
    blocks = read_examples([f"{uri}/Split-eval/*"], spec)
    histories, candidates = (tf.concat([block[name] for block in blocks], 0) for name in spec)
    items, columns = np.unique(histories.flat_values, return_inverse=True)
    had = np.zeros((histories.shape[0], len(items)), np.float32)
    had[histories.value_rowids(), columns] = 1
    ids = candidates.to_tensor(-1).numpy()
    rows = np.searchsorted(items, ids)
    known = np.append(items, -1)[rows] == ids
    there = tf.sequence_mask(candidates.row_lengths(), ids.shape[1]).numpy()
    return Users(had, np.where(there, np.where(known, rows, len(items)), -1))


def popular(had: np.ndarray) -> np.ndarray:
    """Returns scores float32 [users, items]: in how many histories an item is."""
    return np.tile(had.sum(axis=0), (len(had), 1))


def ease(had: np.ndarray) -> np.ndarray:
    """Returns scores float32 [users, items] by an item's neighbours, in closed form.

    Steck, "Embarrassingly shallow autoencoders for sparse data", The Web Conference 2019.
    """
    gram = had.T @ had
    gram[np.diag_indices(len(gram))] += np.float32(_RIDGE)
    inverse = scipy.linalg.inv(gram, overwrite_a=True, check_finite=False)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return had @ weights


MODELS = {"popularity": popular, "EASE": ease}


def figures(scores: np.ndarray, users: Users) -> Figures:
    """Returns what scores measure; an item that no history has is ranked by the others' mean.

    Args:
        scores: Float32 [users, items].
        users: Whose scores they are.
    """
    had, candidates = users.had.astype(bool), users.candidates
    scores = np.concatenate([scores, scores.mean(axis=1, keepdims=True)], axis=1)
    listed = np.take_along_axis(scores, candidates, axis=1)
    own = listed[:, :1]
    sampled = np.sum((listed >= own) & (candidates >= 0), axis=1)
    left = np.where(had, -np.inf, scores[:, :-1])
    full = np.sum(left >= own, axis=1) + (candidates[:, 0] == left.shape[1])
    best = np.argsort(-left, axis=1, kind="stable")[:, :10]
    lists = np.bincount(best.ravel(), minlength=left.shape[1])
    count = len(had)
    return Figures(
        hit_rate_at_10=float(np.mean(sampled <= 10)),
        ndcg_at_10=_ndcg(sampled),
        full_hit_rate=float(np.mean(full <= 10)),
        full_ndcg=_ndcg(full),
        coverage=float(np.mean(lists > 0)),
        popularity=float(lists @ had.sum(axis=0) / lists.sum() / count),
        diversity=1 - float(lists @ (lists - 1)) / (count * (count - 1) * 10),
    )


def _ndcg(ranks: np.ndarray) -> float:
    return float(np.mean(np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)))
