"""Imports of the stack, which take seconds, without looking for garbage all the while."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Puts off garbage collection, and takes what is there at the end for permanent.

    Of the seconds that TFX's modules take to import, a quarter goes to collections that find next
    to nothing, and a part of every later full one to walking through them again.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
