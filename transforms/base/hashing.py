"""A counter-based hash: random numbers that depend on nothing but what they are asked for."""

import hashlib
from collections.abc import Iterable

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def hash_uint64(*keys: np.ndarray | int) -> np.ndarray:
    """Returns uint64 hashes of integer keys, uniform and independent for distinct keys.

    Each key in turn is added to the state of SplitMix64 (Steele, Lea and Flood, "Fast splittable
    pseudorandom number generators", OOPSLA 2014) and mixed by its finalizer. As there is no
    stream, a value is the same whatever is drawn before it, on whatever machine.

    Args:
        *keys: Integers or integer arrays, which broadcast against each other.
    """
    state = np.zeros((), np.uint64)
    # Addition and multiplication modulo 2^64 are the algorithm.
    with np.errstate(over="ignore"):
        for key in keys:
            state = _mix(state + _GAMMA * (np.asarray(key).astype(np.uint64) + np.uint64(1)))
    return state


def hash_texts(texts: Iterable[str]) -> np.ndarray:
    """Returns uint64 hashes of texts, the same in each process, as keys for `hash_uint64`."""
    digests = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.fromiter((int.from_bytes(digest, "little") for digest in digests), np.uint64)


def draws_percent(percent: int, *keys: np.ndarray | int) -> np.ndarray:
    """Returns whether integer keys are among that many of 100, drawn by their hashes.

    Args:
        percent: From 0 to 100.
        *keys: As for `hash_uint64`.
    """
    return hash_uint64(*keys) % np.uint64(100) < np.uint64(percent)


def _mix(state: np.ndarray) -> np.ndarray:
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))
