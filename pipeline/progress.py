"""Progress of a run, component by component, in plain lines."""

import logging
import threading
import time
from typing import TextIO

__all__ = ["Progress"]

_HEARTBEAT_SECONDS = 5.0
# What our own code logs is worth showing while a component runs; the stack's lines are not.
_OWN_CODE = ("components", "transforms")


class Progress(logging.Handler):
    """Prints when a component starts, goes on for more than five seconds, and ends.

    As a logging handler it picks up the latest line that our components logged, such as an epoch's
    loss, and shows it with the next sign of life.

    Attributes:
        seconds: Wall time of each component that ended, cached ones included.
        cached: Components whose results were taken from an earlier run.
        running: The component that runs, or None.
    """

    def __init__(self, stream: TextIO):
        super().__init__(logging.INFO)
        self.seconds: dict[str, float] = {}
        self.cached: list[str] = []
        self.running: str | None = None
        self._stream = stream
        self._began = self._spoke = 0.0
        self._latest = ""
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Progress":
        logging.getLogger("absl").addHandler(self)
        self._heart.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stop.set()
        self._heart.join()
        logging.getLogger("absl").removeHandler(self)

    def say(self, line: str) -> None:
        """Prints a line."""
        self._spoke = time.perf_counter()
        print(line, file=self._stream, flush=True)

    def start(self, component: str) -> None:
        """Notes that `component` runs from now on."""
        self._latest = ""
        self._began = self._spoke = time.perf_counter()
        self.running = component

    def finish(self, component: str, cached: bool) -> None:
        """Prints that `component` ended and how long it took."""
        self.seconds[component] = round(time.perf_counter() - self._began, 3)
        self.running = None
        if cached:
            self.cached.append(component)
        took = "cached" if cached else f"{self.seconds[component]:.1f} s"
        self.say(f"  {component:<22} {took:>8}")

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the latest line of our own components."""
        if any(f"/{package}/" in record.pathname for package in _OWN_CODE) and (
            "site-packages/t" not in record.pathname
        ):
            self._latest = record.getMessage()

    def _beat(self) -> None:
        while not self._stop.wait(1.0):
            component, now = self.running, time.perf_counter()
            if component and now - self._spoke >= _HEARTBEAT_SECONDS:
                elapsed = now - self._began
                latest = f"  {self._latest}" if self._latest else ""
                self.say(f"  {component:<22} {elapsed:6.0f} s{latest} ...")
