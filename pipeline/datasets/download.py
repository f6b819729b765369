"""Downloads one file from one address: verified, resumed where it was cut, in place in one step."""

import time
import urllib.parse
from collections.abc import Callable

from pipeline.datasets.fetch import CertificateError, CutError, Progress, RefusedError, fetch
from pipeline.datasets.part import PartFile


def download(
    url: str,
    destination: str,
    *,
    find_fault: Callable[[str], str | None],
    pinned: bool,
    progress: Progress = lambda done, total: None,
    warn: Callable[[str], None] = lambda line: None,
    timeout: float = 30.0,
    attempts: int = 4,
    pause: float = 1.0,
) -> None:
    """Downloads `url` to `destination`, which appears only when it is whole and right.

    Bytes go to `<destination>.part`; a later call goes on from there, with a pin from another
    address too. Call it inside `folders.exclusive`.

    Args:
        url: http or https.
        destination: Path of the file; its folder must exist.
        find_fault: Says what is wrong with the file at a path, None when nothing is.
        pinned: Whether `find_fault` compares digests that are known beforehand. Then a bad
            certificate is no more than a warning: the bytes decide, whoever sends them.
        progress: Called after each block.
        warn: Takes one line about a bad certificate.
        timeout: Seconds without a byte after which the connection counts as cut.
        attempts: Tries in a row that may bring no new byte.
        pause: Seconds before the first of them is repeated; doubled each time.

    Raises:
        RefusedError: The server cannot be reached, refuses, redirects in a circle or keeps
            cutting the connection; its certificate is bad and there is no pin; or the file has a
            fault. Nothing with a fault is kept.
        UserError: The disk cannot take the file.
    """
    part = PartFile(destination)
    failures, furthest = 0, part.size
    begun_before = furthest > 0
    any_certificate = False
    while True:
        try:
            fetch(
                url,
                part,
                pinned=pinned,
                any_certificate=any_certificate,
                progress=progress,
                timeout=timeout,
            )
        except CertificateError as error:
            if not pinned:
                raise RefusedError(f"its certificate is refused ({error})") from error
            host = urllib.parse.urlsplit(url).hostname
            warn(f"{host}: its certificate is bad ({error}); only the published bytes are taken")
            any_certificate = True
            continue
        except CutError as cut:
            failures = 0 if part.size > furthest else failures + 1
            furthest = max(furthest, part.size)
            if failures >= attempts:
                raise RefusedError(str(cut)) from cut
            if failures:
                time.sleep(pause * 2 ** (failures - 1))
            continue
        fault = find_fault(part.path)
        if fault is None:
            part.place()
            return
        if _is_markup(part.path):
            fault = "a web page came instead of the file"
        part.forget()
        if not begun_before:
            raise RefusedError(fault)
        # The beginning was from another time or place: the whole file gets its own chance.
        begun_before, furthest = False, 0


def _is_markup(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf\t\r\n ").startswith(b"<")
