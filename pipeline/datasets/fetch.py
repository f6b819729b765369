"""One request for a file, or for the rest of it, and what its outcome means for the next one."""

import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import IO

from pipeline.datasets.part import PartFile

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes in all, None when not known."""

_CHUNK = 1 << 18
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)$")
_NETWORK_ERRORS = (OSError, http.client.HTTPException, ValueError)


class CutError(Exception):
    """The connection ended or failed; another try may go on from here."""


class RefusedError(Exception):
    """The address does not bring the file, however often it is asked."""


class CertificateError(RefusedError):
    """The server's certificate has expired, is another host's or is signed by nobody known."""


def fetch(
    url: str,
    part: PartFile,
    *,
    pinned: bool,
    any_certificate: bool,
    progress: Progress,
    timeout: float,
) -> None:
    """Makes one request and appends what it brings to `part`.

    The server is asked for the rest of the file where what is there can be trusted to be its
    beginning, and `part` is begun again when it sends the whole one.

    Args:
        url: http or https; redirects to either are followed, ten at most.
        part: Where the bytes go.
        pinned: Whether the whole file's digest will be compared, so that any beginning may be
            gone on with. Otherwise the server has to say that it has not changed (`If-Range`).
        any_certificate: Whether to take the bytes from a server that cannot prove who it is.
        progress: Called after each block.
        timeout: Seconds without a byte after which the connection counts as cut.

    Raises:
        CutError: Bytes lack, and may come another time.
        RefusedError: They never will; a CertificateError when a certificate is the reason.
        UserError: The disk cannot take the file.
    """
    tag = "" if pinned else part.tag
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
    start = part.size
    if start and (pinned or tag):
        request.add_header("Range", f"bytes={start}-")
        if tag:
            request.add_header("If-Range", tag)
    with _open(request, part, _trusting() if any_certificate else None, timeout) as response:
        if response.status == 206:
            matched = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
            if not matched or int(matched[1]) != start:
                part.forget()
                raise CutError("the server sent another part than was asked for")
        else:
            start = 0
            part.restart(_tag_of(response.headers))
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        with part.append() as file:
            done = _copy(response, file, start, total, progress, timeout)
    if total is not None and done != total:
        raise CutError(f"the connection was cut after {done} of {total} bytes")
    if total is None and not done:
        # Headers that are cut look like those of an empty file of unknown length.
        raise CutError("the connection was cut before the file")


def _open(
    request: urllib.request.Request,
    part: PartFile,
    context: ssl.SSLContext | None,
    timeout: float,
) -> http.client.HTTPResponse:
    try:
        return urllib.request.urlopen(request, timeout=timeout, context=context)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # The beginning is longer than the file is now.
            part.forget()
            raise CutError("the file on the server changed") from error
        answer = f"the server answers {error.code} {error.reason}".partition("\n")[0]
        passing = error.code >= 500 or error.code in (408, 429)
        raise (CutError if passing else RefusedError)(answer) from error
    except _NETWORK_ERRORS as error:
        reason = getattr(error, "reason", None)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise CertificateError(reason.verify_message.rstrip(".")) from error
        raise CutError(_describe(error, timeout)) from error


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


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
        except _NETWORK_ERRORS as error:
            raise CutError(_describe(error, timeout)) from error
        if not block:
            return done
        file.write(block)
        done += len(block)
        progress(done, total)


def _tag_of(headers: http.client.HTTPMessage) -> str:
    etag = headers.get("ETag", "")
    # A weak ETag may not stand in If-Range.
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")


def _describe(error: BaseException, timeout: float) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"no byte came for {timeout:g} s"
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return " ".join(text.split())
