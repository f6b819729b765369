"""Who may write to the terminal: our progress and verdict, and the stack's logs only if asked."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


@contextlib.contextmanager
def quiet(log_file: str, verbose: bool) -> Iterator[TextIO]:
    """Sends all that is written to standard output and error to a file, C++ libraries' included.

    Python's logging cannot silence TensorFlow's runtime; the file descriptors can.

    Args:
        log_file: Receives the output; its folder is made.
        verbose: Leaves everything on the terminal.

    Yields:
        The stream that still reaches the terminal.
    """
    if verbose:
        yield sys.stdout
        return
    os.makedirs(os.path.dirname(log_file), exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    terminal, errors = os.dup(1), os.dup(2)
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    try:
        with os.fdopen(os.dup(terminal), "w", buffering=1) as stream:
            yield stream
    finally:
        # A full disk must not keep the terminal from its owner.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os.dup2(terminal, 1)
        os.dup2(errors, 2)
        os.close(terminal)
        os.close(errors)
