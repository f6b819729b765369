import io
import logging
import time

import pytest

from pipeline.run import progress
from pipeline.run.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "_HEARTBEAT_SECONDS", 0.5)


def _work(shown):
    with shown:
        shown.start("Trainer")
        record = logging.LogRecord(
            "absl", logging.INFO, "/x/components/a.py", 1, "e" * 200, (), None
        )
        shown.emit(record)
        time.sleep(1.3)
        shown.finish("Trainer", cached=False)
        shown.start("Pusher")
        shown.finish("Pusher", cached=True)


@pytest.mark.usefixtures("impatient")
def test_piped_progress_is_plain_lines_with_a_sign_of_life():
    stream = io.StringIO()
    shown = Progress(stream, live=True)
    _work(shown)
    alive, trainer, pusher = stream.getvalue().splitlines()
    assert alive.startswith("  Trainer") and alive.endswith("e ...")
    assert trainer.split() == ["Trainer", str(round(shown.seconds["Trainer"], 1)), "s"]
    assert pusher.split() == ["Pusher", "cached"]
    assert shown.cached == ["Pusher"]


def test_on_a_terminal_a_line_is_redrawn_within_the_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    _work(Progress(stream, live=True))
    text = stream.getvalue()
    assert "\x1b[" in text and "…" in text and "e" * 60 not in text


def test_verbose_progress_redraws_nothing():
    stream = Terminal()
    _work(Progress(stream, live=False))
    assert "\x1b[" not in stream.getvalue()


def test_only_our_own_components_are_heard():
    shown = Progress(io.StringIO(), live=False)
    for place in ("/x/tfx/components/a.py", "/x/site-packages/tfx/components/b.py", "/x/c.py"):
        shown.emit(logging.LogRecord("absl", logging.INFO, place, 1, place, (), None))
    assert shown._latest == "/x/tfx/components/a.py"


def test_what_fails_is_named_with_the_time_it_took():
    with Progress(io.StringIO(), live=False) as shown:
        shown.fail()
        assert (shown.failed, shown.seconds) == (None, {})
        shown.start("Trainer")
        shown.fail()
        assert (shown.failed, shown.running) == ("Trainer", None)
        assert 0 <= shown.seconds["Trainer"] < 60
