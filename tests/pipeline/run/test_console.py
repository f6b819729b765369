import os
import subprocess
import sys

import pytest

from pipeline.run.console import quiet

# Speaks as Python does and as C++ does, on both streams, before, inside and after.
_SPEAK = """
import os, sys
from pipeline.run.console import quiet

def speak(words):
    print(f"{words} print")
    print(f"{words} error", file=sys.stderr)
    os.write(1, f"{words} one\\n".encode())
    os.write(2, f"{words} two\\n".encode())

print("before")
descriptors = len(os.listdir("/proc/self/fd"))
with quiet(sys.argv[1], verbose=False) as terminal:
    print("shown", file=terminal)
    speak("inside")
speak("after")
sys.exit(len(os.listdir("/proc/self/fd")) - descriptors)
"""


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs" / "1.log"


def test_what_anybody_writes_goes_to_the_log_and_only_the_stream_to_the_terminal(log):
    done = subprocess.run(
        [sys.executable, "-c", _SPEAK, str(log)],
        # Python holds back what it says until it ends, or is told to.
        env={**os.environ, "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["before", "shown", "after one", "after print"]
    assert sorted(done.stderr.splitlines()) == ["after error", "after two"]
    spoken = ["inside error", "inside one", "inside print", "inside two"]
    assert sorted(log.read_text().splitlines()) == spoken
    assert not os.access(log, os.X_OK) and os.stat(log).st_mode & 0o011 == 0


def test_the_stream_tells_each_line_at_once(log, capfd):
    with quiet(str(log), verbose=False) as terminal:
        print("shown", file=terminal)
        assert capfd.readouterr().out == "shown\n"


def test_a_log_is_gone_on_with_and_the_terminal_is_back_whatever_happens(log, capfd):
    log.parent.mkdir()
    log.write_text("earlier\n")
    with pytest.raises(KeyError), quiet(str(log), verbose=False):
        os.write(1, b"inside\n")
        raise KeyError
    assert log.read_text() == "earlier\ninside\n"
    os.write(1, b"after\n")
    assert capfd.readouterr().out == "after\n"


def test_on_demand_everything_stays_on_the_terminal(log, capfd):
    with quiet(str(log), verbose=True) as terminal:
        assert terminal is sys.stdout
        os.write(1, b"one\n")
    assert capfd.readouterr().out == "one\n" and not log.parent.exists()
