"""A run as it is seen on a terminal of 80 columns."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pytest

from tests.e2e.conftest import ROOT

PIPELINE = "ncf"
COLUMNS = 80
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.mark.slow
def test_a_run_on_a_terminal_is_calm_and_alive(workplace):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "pipeline", "run", PIPELINE, "--dataset", "sample"]
    roots = ["--data-root", workplace.data, "--output-root", os.path.dirname(workplace.home)]
    process = subprocess.Popen(
        [*command, "--set", "min_ndcg=0.1", *roots],
        cwd=ROOT,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    seen, longest, spoke = b"", 0.0, time.monotonic()
    while True:
        ready, _, _ = select.select([ours], [], [], 1.0)
        if ready:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # The other side is closed.
                break
            longest = max(longest, time.monotonic() - spoke)
            spoke = time.monotonic()
            seen += chunk
    assert process.wait() == 0
    text = seen.decode()
    assert longest <= 5.0
    assert not re.search(r"traceback|warning|error", text, flags=re.IGNORECASE)
    paths = str(workplace.folder)
    for line in re.split(r"[\r\n]+", _ESCAPE.sub("", text)):
        # A path is the user's own; everything else fits.
        assert len(line) <= COLUMNS or paths in line, line
    assert "blessed and pushed: " in text
