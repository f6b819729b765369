"""Downloads one file over HTTP: verified, resumed where it was cut, in place in one step."""

import contextlib
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import IO

from components.data_files.folders import sync
from transforms.errors import UserError

__all__ = ["Progress", "download", "fetch_md5", "md5_of"]

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes in all, None when not known."""

_CHUNK = 1 << 18
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)$")
_NETWORK_ERRORS = (OSError, http.client.HTTPException)


class _CutError(Exception):
    """The connection ended or failed; another try may go on from here."""


def download(
    url: str,
    destination: str,
    *,
    md5: str | None,
    progress: Progress = lambda done, total: None,
    timeout: float = 30.0,
    attempts: int = 4,
    pause: float = 1.0,
) -> None:
    """Downloads `url` to `destination`, which appears only when it is whole.

    Bytes go to `<destination>.part`; a later call goes on from there. It asks the server to send
    the rest only if the file is still the same one (`If-Range`, with the ETag or date kept in
    `<destination>.part.tag`), and starts again when the server cannot or the file has changed.
    Call it inside `folders.exclusive`.

    Args:
        url: http or https; redirects are followed, ten at most.
        destination: Path of the file; its folder must exist.
        md5: Hexadecimal MD5 that the file must have; None takes what comes.
        progress: Called after each block.
        timeout: Seconds without a byte after which the connection counts as cut.
        attempts: Tries in a row that may bring no new byte.
        pause: Seconds before the first of them is repeated; doubled each time.

    Raises:
        UserError: The server cannot be reached, refuses, redirects in a circle or keeps cutting
            the connection; the MD5 is wrong; or the disk cannot take the file.
    """
    part = destination + ".part"
    failures, furthest = 0, _size(part)
    begun_before = furthest > 0
    while True:
        try:
            _fetch(url, part, md5 is not None, progress, timeout)
        except _CutError as cut:
            failures = 0 if _size(part) > furthest else failures + 1
            furthest = max(furthest, _size(part))
            if failures >= attempts:
                raise _cannot(url, destination, str(cut)) from cut
            if failures:
                time.sleep(pause * 2 ** (failures - 1))
            continue
        actual = md5_of(part)
        if md5 is None or actual == md5.lower():
            break
        _forget(part)
        if not begun_before:
            raise _cannot(url, destination, f"its MD5 is {actual}, not {md5}")
        # The beginning was from another time: the whole file gets its own chance.
        begun_before, furthest = False, 0
    with _disk(destination):
        sync(part)
        os.replace(part, destination)
        sync(os.path.dirname(os.path.abspath(destination)))
    _forget(part)


def fetch_md5(url: str, timeout: float = 10.0) -> str | None:
    """Returns the MD5 that a small file at `url` names, or None when there is none to be had."""
    try:
        with urllib.request.urlopen(_request(url), timeout=timeout) as response:
            text = response.read(4096).decode("ascii", "replace")
    except _NETWORK_ERRORS:
        return None
    found = re.search(r"\b[0-9a-fA-F]{32}\b", text)
    return found[0].lower() if found else None


def md5_of(path: str) -> str:
    """Returns the hexadecimal MD5 of a file."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _fetch(url: str, part: str, verified: bool, progress: Progress, timeout: float) -> None:
    """Makes one request and appends what it brings to `part`; raises _CutError if bytes lack."""
    destination = part.removesuffix(".part")
    tag = _read_tag(part)
    request = _request(url)
    start = _size(part)
    # Without a tag only the MD5 can tell whether the rest belongs to this beginning.
    if start and (tag or verified):
        request.add_header("Range", f"bytes={start}-")
        if tag:
            request.add_header("If-Range", tag)
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # The beginning is longer than the file is now.
            _forget(part)
            raise _CutError("the file on the server changed") from error
        if error.code >= 500 or error.code in (408, 429):
            raise _CutError(f"the server answers {error.code} {error.reason}") from error
        reason = str(error.reason).splitlines()[0]
        raise _cannot(url, destination, f"the server answers {error.code} {reason}") from error
    except (*_NETWORK_ERRORS, ValueError) as error:
        raise _CutError(_describe(error, timeout)) from error
    with response:
        if response.status == 206:
            matched = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
            if not matched or int(matched[1]) != start:
                _forget(part)
                raise _CutError("the server sent another part than was asked for")
        else:
            start = 0
            with _disk(destination):
                _forget(part)
                _write_tag(part, response.headers)
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        with _disk(destination), open(part, "ab" if start else "wb") as file:
            done = _copy(response, file, start, total, progress, timeout)
    if total is not None and done != total:
        raise _CutError(f"the connection was cut after {done} of {total} bytes")
    if total is None and not done:
        # Headers that are cut look like those of an empty file of unknown length.
        raise _CutError("the connection was cut before the file")


def _copy(
    response: http.client.HTTPResponse,
    file: IO[bytes],
    done: int,
    total: int | None,
    progress: Progress,
    timeout: float,
) -> int:
    """Writes the body to `file` and returns the file's size."""
    while True:
        try:
            # read1 hands over what has come, so that a cut loses nothing that was sent.
            block = response.read1(_CHUNK)
        except (*_NETWORK_ERRORS, ValueError) as error:
            raise _CutError(_describe(error, timeout)) from error
        if not block:
            return done
        file.write(block)
        done += len(block)
        progress(done, total)


def _request(url: str) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"Accept-Encoding": "identity"})


def _read_tag(part: str) -> str:
    try:
        with open(part + ".tag", encoding="latin-1") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _write_tag(part: str, headers: http.client.HTTPMessage) -> None:
    etag = headers.get("ETag", "")
    # A weak ETag may not stand in If-Range.
    tag = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")
    if tag:
        with open(part + ".tag", "w", encoding="latin-1") as file:
            file.write(tag)


def _forget(part: str) -> None:
    for path in (part, part + ".tag"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0


def _describe(error: BaseException, timeout: float) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"no byte came for {timeout:g} s"
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return " ".join(text.split())


@contextlib.contextmanager
def _disk(destination: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{destination}: cannot write it ({error.strerror or error}); "
            "make room or choose another folder"
        ) from error


def _cannot(url: str, destination: str, reason: str) -> UserError:
    return UserError(
        f"cannot download {url}: {reason}; try again, or put the file by hand at {destination}"
    )
