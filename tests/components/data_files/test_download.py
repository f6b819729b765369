import hashlib
import http.server
import os
import resource
import socketserver
import threading
import time

import pytest

from components.data_files.download import download, fetch_md5, md5_of
from transforms.errors import UserError

BODY = os.urandom(200_000)
MD5 = hashlib.md5(BODY).hexdigest()
REDIRECTS = {
    "/moved": "/file",
    "/loop": "/loop",
    "/a": "/b",
    "/b": "/a",
    "/out": "file:///etc/hosts",
}


class Server(http.server.ThreadingHTTPServer):
    """Serves `body` at /file, with what faults a test asks for."""

    body = BODY
    etag = '"1"'
    ranges = True
    cut_after = 1 << 30  # Bytes of a body after which the connection is closed.
    cuts = 1 << 30  # How many more connections are cut.
    stall = False  # Whether a cut connection stays open instead.
    status = 0

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []

    def url(self, path="/file"):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        if self.path in REDIRECTS or self.path.startswith("/chain"):
            self.send_response(302)
            self.send_header("Location", REDIRECTS.get(self.path, self.path + "1"))
            self.end_headers()
            return
        if server.status or self.path != "/file":
            self.send_error(server.status or 404)
            return
        start = 0
        asked = self.headers.get("Range")
        if asked and server.ranges and self.headers.get("If-Range") in (None, server.etag):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(server.body):
                self.send_error(416)
                return
            self.send_response(206)
            end = len(server.body) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{end + 1}")
        else:
            self.send_response(200)
        if server.etag:
            self.send_header("ETag", server.etag)
        self.send_header("Content-Length", str(len(server.body) - start))
        self.end_headers()
        rest = server.body[start:]
        if server.cuts and len(rest) > server.cut_after:
            server.cuts -= 1
            self.wfile.write(rest[: server.cut_after])
            self.wfile.flush()
            if server.stall:
                time.sleep(1.0)
        else:
            self.wfile.write(rest)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()


class RawServer(socketserver.ThreadingTCPServer):
    """Sends the next of `answers` on each connection, the last of them ever after."""

    daemon_threads = True

    def __init__(self, *answers, stall=0.0):
        super().__init__(("127.0.0.1", 0), RawHandler)
        self.answers = list(answers)
        self.stall = stall
        self.url = f"http://127.0.0.1:{self.server_address[1]}/file"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.shutdown()
        self.server_close()


class RawHandler(socketserver.StreamRequestHandler):
    server: RawServer

    def handle(self):
        while self.rfile.readline().strip():
            pass
        answers = self.server.answers
        self.wfile.write(answers.pop(0) if len(answers) > 1 else answers[0])
        time.sleep(self.server.stall)


@pytest.fixture
def destination(tmp_path):
    return str(tmp_path / "data.zip")


def fetch(server, destination, md5=MD5, path="/file", timeout=5.0):
    download(server.url(path), destination, md5=md5, timeout=timeout, attempts=3, pause=0.001)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def assert_only(destination):
    assert os.listdir(os.path.dirname(destination)) == [os.path.basename(destination)]
    assert content(destination) == BODY


def assert_refused(server, destination, reason, **kwargs):
    with pytest.raises(UserError) as raised:
        fetch(server, destination, **kwargs)
    message = str(raised.value)
    assert reason in message and f"by hand at {destination}" in message and "\n" not in message
    assert not os.path.exists(destination)


def test_reports_progress_and_leaves_only_the_file(server, destination):
    calls = []
    download(server.url(), destination, md5=MD5, progress=lambda *call: calls.append(call))
    assert_only(destination)
    assert calls[-1] == (len(BODY), len(BODY)) and calls == sorted(calls)


def test_a_download_cut_a_hundred_times_is_byte_equal(server, destination):
    server.cut_after = len(BODY) // 101
    fetch(server, destination)
    assert_only(destination)
    assert len(server.requests) > 100


@pytest.mark.parametrize("at", [1, 2, 65_536, len(BODY) - 1])
def test_another_call_goes_on_where_a_cut_one_ended(server, destination, at):
    server.cut_after, server.cuts = at, 1
    with pytest.raises(UserError, match=f"after {at} of {len(BODY)}"):
        download(server.url(), destination, md5=MD5, attempts=0)
    fetch(server, destination)
    assert server.requests[-1]["Range"] == f"bytes={at}-"
    assert_only(destination)


def test_starts_again_when_the_server_cannot_resume(server, destination):
    server.ranges, server.cut_after, server.cuts = False, 1000, 2
    fetch(server, destination)
    assert_only(destination)


def test_gives_up_when_no_try_gets_further(server, destination):
    server.ranges, server.cut_after = False, 1000
    assert_refused(server, destination, "cut after 1000 of 200000 bytes")
    assert len(server.requests) == 4


def test_does_not_resume_a_file_that_changed_on_the_server(server, destination):
    with open(destination + ".part", "wb") as part, open(destination + ".part.tag", "w") as tag:
        part.write(b"the beginning of an older file")
        tag.write('"0"')
    fetch(server, destination)
    assert server.requests[0]["If-Range"] == '"0"'
    assert_only(destination)


def test_without_a_tag_a_wrong_beginning_is_found_by_the_md5(server, destination):
    server.etag = ""
    with open(destination + ".part", "wb") as part:
        part.write(b"the beginning of an older file")
    fetch(server, destination)
    assert_only(destination)


def test_without_tag_and_md5_a_beginning_is_not_trusted(server, destination):
    server.etag = ""
    with open(destination + ".part", "wb") as part:
        part.write(b"the beginning of an older file")
    fetch(server, destination, md5=None)
    assert_only(destination)


def test_a_beginning_longer_than_the_file_is_thrown_away(server, destination):
    with open(destination + ".part", "wb") as part, open(destination + ".part.tag", "w") as tag:
        part.write(BODY + b"more")
        tag.write(server.etag)
    fetch(server, destination)
    assert_only(destination)


def test_a_wrong_md5_leaves_nothing(server, destination):
    assert_refused(server, destination, f"its MD5 is {MD5}, not 0", md5="0" * 32)
    assert os.listdir(os.path.dirname(destination)) == []


def test_a_missing_file_is_refused_at_once(server, destination):
    assert_refused(server, destination, "answers 404", path="/nothing")
    assert len(server.requests) == 1


def test_a_failing_server_is_asked_again(server, destination):
    server.status = 503
    assert_refused(server, destination, "answers 503")
    assert len(server.requests) == 3


def test_a_redirect_is_followed(server, destination):
    fetch(server, destination, path="/moved")
    assert_only(destination)


@pytest.mark.parametrize("path", ["/loop", "/a", "/chain"])
def test_a_redirect_loop_ends(server, destination, path):
    assert_refused(server, destination, "redirect", path=path)
    assert len(server.requests) <= 11


def test_a_redirect_to_a_file_is_not_followed(server, destination):
    assert_refused(server, destination, "302", path="/out")


LENGTH = b'HTTP/1.1 200 OK\r\nContent-Length: 40\r\nETag: "1"\r\n\r\n' + BODY[:40]
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"18\r\n" + BODY[:24] + b"\r\n10\r\n" + BODY[24:40] + b"\r\n0\r\n"
)


@pytest.mark.parametrize("answer", [LENGTH, CHUNKED], ids=["length", "chunked"])
@pytest.mark.parametrize("verified", [True, False])
def test_an_answer_cut_at_any_byte_is_asked_for_again(destination, answer, verified):
    md5 = hashlib.md5(BODY[:40]).hexdigest() if verified else None
    for cut in range(len(answer)):
        with RawServer(answer[:cut], answer) as raw:
            download(raw.url, destination, md5=md5, timeout=5.0, attempts=2, pause=0.001)
        assert content(destination) == BODY[:40], cut
        assert os.listdir(os.path.dirname(destination)) == ["data.zip"]
        os.remove(destination)


def test_a_server_that_says_nothing_is_given_up(destination):
    with (
        RawServer(b"", stall=1.0) as raw,
        pytest.raises(UserError, match=r"no byte came for 0.05 s; try again, or put") as caught,
    ):
        download(raw.url, destination, md5=MD5, timeout=0.05, attempts=2, pause=0.001)
    assert "\n" not in str(caught.value) and not os.path.exists(destination)


def test_no_http_at_all_is_one_line(destination):
    with RawServer(b"SSH-2.0-x\r\n") as raw, pytest.raises(UserError) as caught:
        download(raw.url, destination, md5=MD5, attempts=2, pause=0.001)
    assert "\n" not in str(caught.value) and not os.path.exists(destination)


def test_a_stalled_connection_ends(server, destination):
    server.cut_after, server.stall, server.ranges = 10, True, False
    assert_refused(server, destination, "no byte came for 0.05 s", timeout=0.05)


def test_no_network_is_one_line(destination):
    with Server() as closed:
        url = closed.url()
    with pytest.raises(UserError, match="refused"):
        download(url, destination, md5=MD5, attempts=2, pause=0.001)


def test_a_full_disk_is_one_line(server, destination):
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
    try:
        with pytest.raises(UserError, match="cannot write it") as raised:
            fetch(server, destination)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert "make room" in str(raised.value) and not os.path.exists(destination)
    fetch(server, destination)
    assert_only(destination)


def test_fetch_md5_reads_what_the_server_publishes(server):
    server.body = f"MD5 (ml-1m.zip) = {MD5.upper()}\n".encode()
    assert fetch_md5(server.url()) == MD5
    server.body = b"<html>Please log in</html>"
    assert fetch_md5(server.url()) is None
    assert fetch_md5(server.url("/nothing")) is None


def test_md5_of_a_file(destination):
    with open(destination, "wb") as file:
        file.write(BODY)
    assert md5_of(destination) == MD5
