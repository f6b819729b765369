"""Local web servers with the faults that a test asks for."""

import hashlib
import http.server
import io
import os
import socketserver
import threading
import time
import zipfile

BODY = os.urandom(200_000)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def sha256(text):
    return hashlib.sha256(text).hexdigest()


def zip_of(entries):
    """The bytes of an archive with `entries`, content by name or ZipInfo."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return whole.getvalue()


REDIRECTS = {
    "/moved": "/file",
    "/loop": "/loop",
    "/a": "/b",
    "/b": "/a",
    "/out": "file:///etc/hosts",
}


class Serving:
    """Serves from a thread of its own inside a with statement."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.shutdown()
        self.server_close()


class Server(Serving, http.server.ThreadingHTTPServer):
    """Serves `files` by path, with what faults a test asks for; over TLS when given a context."""

    etag = '"1"'
    ranges = True
    cut_after = 1 << 30  # Bytes of a body after which the connection is closed.
    cuts = 1 << 30  # How many more connections are cut.
    stall = False  # Whether a cut connection stays open instead.
    status = 0

    def __init__(self, tls=None, files=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files or {"/file": BODY}
        self.requests = []
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def url(self, path="/file"):
        return f"{self.scheme}://127.0.0.1:{self.server_port}{path}"


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
        body = server.files.get(self.path)
        if server.status or body is None:
            self.send_error(server.status or 404)
            return
        start = 0
        asked = self.headers.get("Range")
        if asked and server.ranges and self.headers.get("If-Range") in (None, server.etag):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206)
            end = len(body) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{end + 1}")
        else:
            self.send_response(200)
        if server.etag:
            self.send_header("ETag", server.etag)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        rest = body[start:]
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


class RawServer(Serving, socketserver.ThreadingTCPServer):
    """Sends the next of `answers` on each connection, the last of them ever after."""

    daemon_threads = True

    def __init__(self, *answers, stall=0.0):
        super().__init__(("127.0.0.1", 0), RawHandler)
        self.answers = list(answers)
        self.stall = stall
        self.url = f"http://127.0.0.1:{self.server_address[1]}/file"


class RawHandler(socketserver.StreamRequestHandler):
    server: RawServer

    def handle(self):
        while self.rfile.readline().strip():
            pass
        answers = self.server.answers
        self.wfile.write(answers.pop(0) if len(answers) > 1 else answers[0])
        time.sleep(self.server.stall)
