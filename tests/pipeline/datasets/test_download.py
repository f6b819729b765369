import os
import resource

import pytest

from pipeline.datasets import download as download_module
from pipeline.datasets.download import download
from pipeline.datasets.fetch import RefusedError
from tests.pipeline.datasets.servers import BODY, RawServer, Server, content
from transforms.base.errors import UserError


def fetch(url, destination, body=BODY, **options):
    """Downloads what is pinned to be `body`, quickly."""

    def find_fault(path):
        return None if content(path) == body else "it is another file"

    quick = {"timeout": 5.0, "attempts": 3, "pause": 0.001, "pinned": True}
    download(url, destination, **{"find_fault": find_fault, **quick, **options})


def begin(destination, beginning, tag=""):
    with open(destination + ".part", "wb") as part:
        part.write(beginning)
    if tag:
        with open(destination + ".part.tag", "w") as file:
            file.write(tag)


def assert_only(destination, body=BODY):
    assert os.listdir(os.path.dirname(destination)) == [os.path.basename(destination)]
    assert content(destination) == body


def assert_refused(url, destination, reason, **options):
    with pytest.raises(RefusedError) as raised:
        fetch(url, destination, **options)
    assert reason in str(raised.value) and "\n" not in str(raised.value)
    assert not os.path.exists(destination)


def test_reports_progress_and_leaves_only_the_file(server, destination):
    calls = []
    fetch(server.url(), destination, progress=lambda *call: calls.append(call))
    assert_only(destination)
    assert calls[-1] == (len(BODY), len(BODY)) and calls == sorted(calls)


def test_a_download_cut_a_hundred_times_is_byte_equal(server, destination):
    server.cut_after = len(BODY) // 101
    fetch(server.url(), destination)
    assert_only(destination)
    assert len(server.requests) > 100


@pytest.mark.parametrize("at", [1, 2, 65_536, len(BODY) - 1])
@pytest.mark.parametrize("pinned", [True, False])
def test_another_call_goes_on_where_a_cut_one_ended(server, destination, at, pinned):
    server.cut_after, server.cuts = at, 1
    with pytest.raises(RefusedError, match=f"after {at} of {len(BODY)}"):
        fetch(server.url(), destination, pinned=pinned, attempts=0)
    fetch(server.url(), destination, pinned=pinned)
    assert server.requests[-1]["Range"] == f"bytes={at}-"
    assert_only(destination)


def test_with_a_pin_another_server_goes_on(server, destination):
    with Server() as publisher:
        publisher.cut_after, publisher.ranges, publisher.etag = 1000, False, '"other"'
        assert_refused(publisher.url(), destination, "cut after 1000 of 200000 bytes")
    fetch(server.url(), destination)
    (request,) = server.requests
    assert request["Range"] == "bytes=1000-" and "If-Range" not in request
    assert_only(destination)


def test_starts_again_when_the_server_cannot_resume(server, destination):
    server.ranges, server.cut_after, server.cuts = False, 1000, 2
    fetch(server.url(), destination)
    assert_only(destination)


def test_gives_up_when_no_try_gets_further(server, destination):
    server.ranges, server.cut_after = False, 1000
    assert_refused(server.url(), destination, "cut after 1000 of 200000 bytes")
    assert len(server.requests) == 4


def test_without_a_pin_a_file_that_changed_on_the_server_is_not_resumed(server, destination):
    begin(destination, b"the beginning of an older file", tag='"0"')
    fetch(server.url(), destination, pinned=False)
    assert server.requests[0]["If-Range"] == '"0"'
    assert_only(destination)


def test_with_a_pin_a_wrong_beginning_costs_one_more_try(server, destination):
    begin(destination, b"the beginning of an older file")
    fetch(server.url(), destination)
    assert [request.get("Range") for request in server.requests] == ["bytes=30-", None]
    assert_only(destination)


def test_with_a_pin_a_wrong_file_after_a_wrong_beginning_is_refused(server, destination):
    begin(destination, b"the beginning of an older file")
    server.files["/file"] = BODY[::-1]
    # A third look ends the test, which would otherwise never end.
    fault = "it is another file"
    faults = iter([fault, fault])
    assert_refused(server.url(), destination, fault, find_fault=lambda path: next(faults))
    assert len(server.requests) == 2


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_tag_and_pin_a_beginning_is_not_trusted(server, destination, etag):
    server.etag, server.cut_after, server.cuts = etag, 1000, 1
    fetch(server.url(), destination, pinned=False, find_fault=lambda path: None)
    assert [request.get("Range") for request in server.requests] == [None, None]
    assert_only(destination)


def test_a_beginning_longer_than_the_file_is_thrown_away(server, destination):
    begin(destination, BODY + b"more", tag=server.etag)
    fetch(server.url(), destination)
    assert_only(destination)


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"other", "it is another file"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>Please log in</html>", "a web page came instead"),
    ],
)
def test_nothing_wrong_is_kept(server, destination, pinned, body, reason):
    server.files["/file"] = body
    assert_refused(server.url(), destination, reason, pinned=pinned)
    assert os.listdir(os.path.dirname(destination)) == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "requests"), [(404, 1), (499, 1), (408, 3), (429, 3), (500, 3), (503, 3)]
)
def test_a_server_that_may_recover_is_asked_again(server, destination, status, requests):
    server.status = status
    assert_refused(server.url(), destination, f"the server answers {status} ")
    assert len(server.requests) == requests


def test_each_try_that_brings_nothing_waits_twice_as_long_as_the_one_before(
    server, destination, monkeypatch
):
    pauses = []
    monkeypatch.setattr(download_module.time, "sleep", pauses.append)
    server.status = 503
    assert_refused(server.url(), destination, "answers 503", attempts=4, pause=0.5)
    assert pauses == [0.5, 1.0, 2.0]
    # One that brings something is no reason to wait, and begins the count anew.
    server.status, server.cut_after, server.cuts = 0, 1000, 5
    pauses.clear()
    fetch(server.url(), destination, attempts=1, pause=0.5)
    assert pauses == []


def test_a_redirect_is_followed(server, destination):
    fetch(server.url("/moved"), destination)
    assert_only(destination)


@pytest.mark.parametrize("path", ["/loop", "/a", "/chain", "/out"])
def test_a_redirect_in_a_circle_or_to_a_local_file_ends(server, destination, path):
    assert_refused(server.url(path), destination, "the server answers 302 ")
    assert len(server.requests) <= 11


LENGTH = b'HTTP/1.1 200 OK\r\nContent-Length: 40\r\nETag: "1"\r\n\r\n' + BODY[:40]
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"18\r\n" + BODY[:24] + b"\r\n10\r\n" + BODY[24:40] + b"\r\n0\r\n"
)


@pytest.mark.parametrize("answer", [LENGTH, CHUNKED], ids=["length", "chunked"])
@pytest.mark.parametrize("pinned", [True, False])
def test_an_answer_cut_at_any_byte_is_asked_for_again(destination, answer, pinned):
    # Without a pin a cut has to be noticed by itself.
    fault = {} if pinned else {"find_fault": lambda path: None}
    for cut in range(len(answer)):
        with RawServer(answer[:cut], answer) as raw:
            fetch(raw.url, destination, BODY[:40], attempts=2, pinned=pinned, **fault)
        assert_only(destination, BODY[:40])
        os.remove(destination)


@pytest.mark.parametrize(
    "told", [b"Content-Range: bytes 20-39/40\r\n", b""], ids=["another", "untold"]
)
def test_another_part_than_was_asked_for_is_not_appended(destination, told):
    other = b"HTTP/1.1 206 x\r\n" + told + b"Content-Length: 20\r\n\r\n"
    begin(destination, BODY[:10], tag='"1"')
    with RawServer(other + BODY[20:40], LENGTH) as raw:
        fetch(raw.url, destination, pinned=False, find_fault=lambda path: None)
    assert_only(destination, BODY[:40])


def test_a_server_that_says_nothing_is_given_up(destination):
    with RawServer(b"", stall=1.0) as raw:
        assert_refused(raw.url, destination, "no byte came for 0.05 s", timeout=0.05)


def test_no_http_at_all_is_one_line(destination):
    with RawServer(b"SSH-2.0-x\r\n") as raw:
        assert_refused(raw.url, destination, "SSH-2.0-x")


def test_a_stalled_connection_ends(server, destination):
    server.cut_after, server.stall, server.ranges = 10, True, False
    assert_refused(server.url(), destination, "no byte came for 0.05 s", timeout=0.05)


def test_no_network_is_one_line(destination):
    with Server() as closed:
        url = closed.url()
    assert_refused(url, destination, "refused")


def test_a_full_disk_is_one_line(server, destination):
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
    try:
        with pytest.raises(UserError, match="cannot write it") as raised:
            fetch(server.url(), destination)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert "make room" in str(raised.value) and not os.path.exists(destination)
    fetch(server.url(), destination)
    assert_only(destination)


def test_a_good_certificate_is_no_matter(trusted, destination):
    warnings = []
    with Server(trusted.tls()) as server:
        fetch(server.url(), destination, pinned=False, warn=warnings.append)
    assert_only(destination)
    assert not warnings


def test_with_a_pin_a_bad_certificate_is_one_warning(trusted, destination):
    warnings = []
    with Server(trusted.tls(expired=True)) as server:
        server.cut_after = len(BODY) // 3
        fetch(server.url(), destination, warn=warnings.append)
    assert_only(destination)
    (warning,) = warnings
    assert warning.startswith("127.0.0.1: ") and "has expired)" in warning and "\n" not in warning


def test_without_a_pin_a_bad_certificate_is_a_refusal(trusted, destination):
    begin(destination, BODY[:10], tag='"1"')
    with Server(trusted.tls(expired=True)) as server:
        assert_refused(server.url(), destination, "certificate has expired)", pinned=False)
        assert not server.requests
    assert content(destination + ".part") == BODY[:10]


def test_what_a_bad_certificate_vouches_for_has_to_have_the_pin(trusted, destination):
    with Server(trusted.tls(expired=True), {"/file": b"other"}) as server:
        assert_refused(server.url(), destination, "it is another file")
    assert os.listdir(os.path.dirname(destination)) == []
