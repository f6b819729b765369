"""The short digest by which sources, models, data and settings are told apart."""

import hashlib


def digest(data: bytes) -> str:
    """Returns the first 16 hexadecimal digits of a SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]
