import numpy as np
import pytest

from transforms.base.hashing import hash_texts, hash_uint64

MASK = 2**64 - 1


def scalar_hash(*keys: int) -> int:
    """The same in Python's integers, after the reference implementation of SplitMix64."""
    state = 0
    for key in keys:
        state = (state + 0x9E3779B97F4A7C15 * ((key & MASK) + 1)) & MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        state ^= state >> 31
    return state


def test_the_first_value_is_splitmix64s():
    assert hash_uint64(0) == 0xE220A8397B1DCDAF


@pytest.mark.parametrize("keys", [(5,), (-1, 7), (3, 2**63 - 1, 0), (0, -(2**63), 99)])
def test_it_equals_a_scalar_implementation(keys):
    assert int(hash_uint64(*keys)) == scalar_hash(*keys)


def test_keys_broadcast():
    hashes = hash_uint64(3, np.arange(4), np.arange(2)[:, None])
    assert hashes.shape == (2, 4)
    assert int(hashes[1, 2]) == scalar_hash(3, 2, 1)


def test_every_bit_is_a_fair_coin_for_consecutive_keys():
    hashes = hash_uint64(0, np.arange(20_000))
    ones = [(hashes >> np.uint64(bit) & np.uint64(1)).mean() for bit in range(64)]
    assert np.abs(np.array(ones) - 0.5).max() < 5 * 0.5 / np.sqrt(20_000)


def test_texts_have_the_same_hashes_in_each_process():
    hashes = hash_texts(["", "?", "Private", "Zoë"])
    assert hashes.dtype == np.uint64 and len(set(hashes.tolist())) == 4
    assert int(hashes[2]) == 0xDE97322BF0818F04
