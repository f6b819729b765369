"""Progress of a run, component by component: alive on a terminal, plain lines elsewhere."""

import logging
import threading
import time
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Column, Table
from rich.text import Text

_HEARTBEAT_SECONDS = 5.0
# What our own code logs is worth showing while a component runs; the stack's lines are not.
_OWN_CODE = ("components", "transforms")


class Progress(logging.Handler):
    """Tells when a component runs, how long it has, and when it ends.

    On a terminal a line at the bottom is redrawn every second and cut to the width. Elsewhere a
    line is printed for every five seconds that a component goes on. As a logging handler it picks
    up the latest line that our components logged, such as an epoch's loss, and shows it there.

    Attributes:
        seconds: Wall time of each component that ended, cached and failed ones included.
        cached: Components whose results were taken from an earlier run.
        running: What runs, or None.
        failed: What failed, or None.
    """

    def __init__(self, stream: TextIO, *, live: bool):
        """Constructs a Progress.

        Args:
            stream: Where to print.
            live: Redraw a line if `stream` is a terminal; otherwise lines are only ever added.
        """
        super().__init__(logging.INFO)
        self.seconds: dict[str, float] = {}
        self.cached: list[str] = []
        self.running: str | None = None
        self.failed: str | None = None
        self._stream = stream
        self._console = Console(file=stream, highlight=False)
        self._spinner = Spinner("dots")
        self._bottom: Live | None = None
        if live and self._console.is_terminal:
            # What the stack prints goes to the log, and must not come back through here.
            self._bottom = Live(
                console=self._console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
        self._began = self._spoke = time.perf_counter()
        self._latest = ""
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Progress":
        logging.getLogger("absl").addHandler(self)
        if self._bottom:
            self._bottom.start()
        self._heart.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stop.set()
        self._heart.join()
        if self._bottom:
            self._bottom.stop()
        logging.getLogger("absl").removeHandler(self)

    def say(self, line: str) -> None:
        """Prints a line, cut to the width of a terminal."""
        self._spoke = time.perf_counter()
        if self._bottom:
            self._console.print(Text(line), no_wrap=True, overflow="ellipsis")
        else:
            print(line, file=self._stream, flush=True)

    def start(self, work: str) -> None:
        """Notes that a component, or other work of some seconds, runs from now on."""
        self._latest = ""
        self._began = self._spoke = time.perf_counter()
        self.running = work
        self._show()

    def finish(self, component: str, cached: bool) -> None:
        """Prints that a component ended and how long it took."""
        self.seconds[component] = round(time.perf_counter() - self._began, 3)
        self.running = None
        if cached:
            self.cached.append(component)
        took = "cached" if cached else f"{self.seconds[component]:.1f} s"
        self.say(f"  {component:<22} {took:>8}")

    def fail(self) -> None:
        """Notes that what runs fails, and how long it took."""
        if self.running is not None:
            self.seconds[self.running] = round(time.perf_counter() - self._began, 3)
        self.failed, self.running = self.running, None

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the latest line of our own components."""
        if any(f"/{package}/" in record.pathname for package in _OWN_CODE) and (
            "site-packages/t" not in record.pathname
        ):
            self._latest = record.getMessage()

    def _beat(self) -> None:
        while not self._stop.wait(1.0):
            self._show()

    def _show(self) -> None:
        work, now = self.running, time.perf_counter()
        if work is None:
            return
        latest = f"  {self._latest}" if self._latest else ""
        line = f"{work:<22} {now - self._began:6.0f} s{latest}"
        if self._bottom:
            row = Table.grid(Column(), Column(no_wrap=True, overflow="ellipsis"), padding=(0, 1))
            row.add_row(self._spinner, Text(line))
            self._bottom.update(row)
        elif now - self._spoke >= _HEARTBEAT_SECONDS:
            self.say(f"  {line} ...")
