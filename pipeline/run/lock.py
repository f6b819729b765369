"""One writer at a time in a pipeline's output folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from transforms.base.errors import UserError


@contextmanager
def locked(home: str) -> Iterator[None]:
    """Holds the output folder's lock, which ends with the process however that ends.

    Args:
        home: The folder, which is there.

    Raises:
        UserError: A run is at work there.
    """
    with open(os.path.join(home, "lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{home}: another run is at work here; wait for it or use another --output-root"
            ) from None
        yield
