"""A server that speaks those parts of the Kubeflow Pipelines v1beta1 API that the client uses."""

import email.parser
import email.policy
import json
import re
import threading
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_API = "/apis/v1beta1/"
_Record = dict[str, Any]


class _NotFoundError(Exception):
    pass


@dataclass
class KfpServer:
    """What the server was told, for a test to look at.

    Attributes:
        url: The endpoint.
        packages: The bytes of each uploaded package, by the id of its version.
        pipelines, versions, experiments, runs: The records in the API's form, by id. The first of
            each kind is "pipelines-1", "versions-1", "experiments-1", "runs-1".
        unknown: Calls that the server does not implement, as "METHOD path".
    """

    url: str = ""
    packages: dict[str, bytes] = field(default_factory=dict)
    pipelines: dict[str, _Record] = field(default_factory=dict)
    versions: dict[str, _Record] = field(default_factory=dict)
    experiments: dict[str, _Record] = field(default_factory=dict)
    runs: dict[str, _Record] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    _added: Counter[str] = field(default_factory=Counter)

    def latest_package(self, pipeline: str) -> bytes:
        """Returns the package of the version that was last uploaded for a pipeline."""
        (record,) = (record for record in self.pipelines.values() if record["name"] == pipeline)
        return self.packages[self._versions_of(record["id"])[-1]["id"]]

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> _Record | None:
        """Does one call and returns what to answer; None if there is no such call."""
        kind, _, rest = path.removeprefix(_API).partition("/")
        match method, kind, rest:
            case "GET", "healthz", "":
                return {"multi_user": False}
            case "POST", "pipelines", "upload":
                return self._upload_pipeline(query["name"], body)
            case "POST", "pipelines", "upload_version":
                return self._upload_version(query["pipelineid"], query["name"], body)
            case "GET", "pipeline_versions", "":
                found = self._versions_of(query["resource_key.id"])
                if query.get("sort_by") == "created_at desc":
                    found.reverse()
                return _page("versions", found, query)
            case "POST", "experiments", "":
                return self._add("experiments", json.loads(body))
            case "POST", "runs", "":
                return {"run": self._add("runs", {"status": "Running", **json.loads(body)})}
            case "GET", "runs", "":
                owner = query["resource_reference_key.id"]
                return _page("runs", [r for r in self.runs.values() if _refers(r, owner)], query)
            case "POST", "runs", _ if rest.endswith("/terminate"):
                self._one(self.runs, rest.removesuffix("/terminate"))["status"] = "Terminating"
                return {}
            case _, ("pipelines" | "experiments" | "runs"), _:
                return self._plain(method, kind, rest, query)
        return None

    def _plain(self, method: str, kind: str, rest: str, query: dict[str, str]) -> _Record | None:
        records: dict[str, _Record] = getattr(self, kind)
        match method:
            case "GET" if not rest:
                return _page(kind, [r for r in records.values() if _passes(r, query)], query)
            case "GET":
                record = self._one(records, rest)
                return {"run": record} if kind == "runs" else record
            case "DELETE" if rest:
                self._one(records, rest)
                del records[rest]
                return {}
        return None

    def _upload_pipeline(self, name: str, package: bytes) -> _Record:
        pipeline = self._add("pipelines", {"name": name})
        pipeline["default_version"] = self._upload_version(pipeline["id"], name, package)
        return pipeline

    def _upload_version(self, pipeline_id: str, name: str, package: bytes) -> _Record:
        self._one(self.pipelines, pipeline_id)
        owner = {"key": {"type": "PIPELINE", "id": pipeline_id}, "relationship": "OWNER"}
        version = self._add("versions", {"name": name, "resource_references": [owner]})
        self.packages[version["id"]] = package
        return version

    def _versions_of(self, pipeline_id: str) -> list[_Record]:
        return [record for record in self.versions.values() if _refers(record, pipeline_id)]

    def _add(self, kind: str, record: _Record) -> _Record:
        self._added[kind] += 1
        added = {
            **record,
            "id": f"{kind}-{self._added[kind]}",
            "created_at": datetime.now(UTC).isoformat(),
        }
        getattr(self, kind)[added["id"]] = added
        return added

    def _one(self, records: dict[str, _Record], name: str) -> _Record:
        if name not in records:
            raise _NotFoundError(name)
        return records[name]


def _refers(record: _Record, owner: str) -> bool:
    return any(reference["key"]["id"] == owner for reference in record["resource_references"])


def _passes(record: _Record, query: dict[str, str]) -> bool:
    predicates = json.loads(query.get("filter", "{}")).get("predicates", [])
    return all(record[each["key"]] == each["stringValue"] for each in predicates)


def _page(key: str, records: list[_Record], query: dict[str, str]) -> _Record:
    # Without any, the real server leaves the key out.
    shown = records[: int(query.get("page_size", 100))]
    return {key: shown, "total_size": len(records)} if shown else {}


def _uploaded(content_type: str, body: bytes) -> bytes:
    """Returns the file in a multipart form of one file."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    (part,) = form.iter_parts()
    assert re.search(r"\.(tar\.gz|yaml|zip)$", part.get_filename() or "")
    return bytes(part.get_content())


@contextmanager
def kfp_server() -> Iterator[KfpServer]:
    """Serves the API on a free port of 127.0.0.1 and yields what keeps the calls."""
    state = KfpServer()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            split = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content_type = self.headers.get("Content-Type", "")
            if content_type.startswith("multipart/"):
                body = _uploaded(content_type, body)
            query = dict(urllib.parse.parse_qsl(split.query))
            path = urllib.parse.unquote(split.path)
            try:
                answer = state.answer(self.command, path, query, body)
            except _NotFoundError as error:
                self._reply(HTTPStatus.NOT_FOUND, {"error": f"{error} not found"})
                return
            if answer is None:
                state.unknown.append(f"{self.command} {split.path}")
                self._reply(HTTPStatus.NOT_IMPLEMENTED, {"error": "not implemented"})
                return
            self._reply(HTTPStatus.OK, answer)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

        def _reply(self, status: HTTPStatus, answer: _Record) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps requests off the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
