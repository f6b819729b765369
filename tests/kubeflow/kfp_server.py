"""A server that speaks those parts of the Kubeflow Pipelines v2beta1 API that the client uses.

Its pages are short.
"""

import email.parser
import email.policy
import json
import re
import threading
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec, PlatformSpec

from tests.kubeflow.kfp_player import Run

_API = "/apis/v2beta1/"
_PAGE_SIZE = 2
_ID = {
    "pipelines": "pipeline_id",
    "versions": "pipeline_version_id",
    "experiments": "experiment_id",
    "runs": "run_id",
    "recurringruns": "recurring_run_id",
}
_PYTHON_TYPES = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": (int, float), "STRING": str}
_Record = dict[str, Any]


class _RefusedError(Exception):
    def __init__(self, status: HTTPStatus, message: str):
        super().__init__(message)
        self.status = status


@dataclass
class KfpServer:
    """What the server was told, for a test to look at.

    Attributes:
        url: The endpoint.
        multi_user: Whether it serves several users, each with a namespace.
        packages: The bytes of each uploaded package, by the id of its version.
        pipelines, versions, experiments, runs, recurringruns: The records in the API's form, by id.
            The first of each kind is "pipelines-1", "versions-1", and so on.
        started: All runs as they were asked for, those that were deleted included.
        tokens: What the Authorization headers held.
        unknown: Calls that the server does not implement, as "METHOD path".
        play: Runs a package with parameters; without it a run stays as it was created.
    """

    url: str = ""
    multi_user: bool = False
    packages: dict[str, bytes] = field(default_factory=dict)
    pipelines: dict[str, _Record] = field(default_factory=dict)
    versions: dict[str, _Record] = field(default_factory=dict)
    experiments: dict[str, _Record] = field(default_factory=dict)
    runs: dict[str, _Record] = field(default_factory=dict)
    recurringruns: dict[str, _Record] = field(default_factory=dict)
    started: list[_Record] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    play: Callable[[bytes, _Record], Run] | None = None
    _logs: dict[str, str] = field(default_factory=dict)
    _added: Counter[str] = field(default_factory=Counter)

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> _Record | None:
        """Does one call and returns what to answer; None if there is no such call."""
        kind, *rest = path.removeprefix(_API).split("/")
        match method, kind, rest:
            case "GET", "healthz", []:
                return {"multi_user": self.multi_user}
            case "POST", "pipelines", ["upload"]:
                return self.upload(query["name"], body, query.get("namespace", ""))
            case "POST", "pipelines", ["upload_version"]:
                return self._upload_version(query["pipelineid"], query["name"], body)
            case "GET", "pipelines", [pipeline, "versions"]:
                return _page("pipeline_versions", self._versions_of(pipeline), query)
            case "DELETE", "pipelines", [pipeline, "versions", version]:
                return self._delete("versions", version)
            case "DELETE", "pipelines", [pipeline]:
                if self._versions_of(pipeline):
                    raise _RefusedError(
                        HTTPStatus.BAD_REQUEST, "It has versions: Set cascade=true to delete them"
                    )
                return self._delete(kind, pipeline)
            case "DELETE", ("experiments" | "runs"), [name]:
                return self._delete(kind, name)
            case "POST", "experiments", []:
                return self._add("experiments", json.loads(body))
            case "POST", "runs", []:
                return self._start(json.loads(body))
            case "POST", "runs", [call] if call.endswith(":terminate"):
                self._terminate(self._one("runs", call.removesuffix(":terminate")))
                return {}
            case "POST", "recurringruns", []:
                return self._recur(json.loads(body))
            case "POST", "recurringruns", [call] if call.endswith(":disable"):
                self._one(kind, call.removesuffix(":disable"))["status"] = "DISABLED"
                return {}
            case "GET", "recurringruns", []:
                found = [r for r in self.recurringruns.values() if _passes(r, query)]
                return _page("recurringRuns", found, query)
            case "GET", ("pipelines" | "experiments" | "runs"), []:
                found = [r for r in getattr(self, kind).values() if _passes(r, query)]
                return _page(kind, found, query)
            case "GET", ("pipelines" | "experiments" | "runs"), [name]:
                return self._one(kind, name)
        return None

    def upload(self, name: str, package: bytes, namespace: str = "") -> _Record:
        """Adds a pipeline with a version."""
        record = {"display_name": name, "namespace": namespace}
        pipeline = self._add("pipelines", record)
        self._upload_version(pipeline["pipeline_id"], name, package)
        return pipeline

    def _upload_version(self, pipeline: str, name: str, package: bytes) -> _Record:
        self._one("pipelines", pipeline)
        record = {"pipeline_id": pipeline, "display_name": name, "pipeline_spec": _spec(package)}
        version = self._add("versions", record)
        self.packages[version["pipeline_version_id"]] = package
        return version

    def _versions_of(self, pipeline: str) -> list[_Record]:
        return [record for record in self.versions.values() if record["pipeline_id"] == pipeline]

    def _recur(self, run: _Record) -> _Record:
        """Adds a recurring run; the real server checks its cron, which has seconds."""
        cron = run["trigger"]["cron_schedule"]["cron"]
        if not re.fullmatch(r"[\d*/,-]+( [\d*/,?A-Z-]+){5}", cron):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, f"Schedule cron is not supported: {cron}")
        self._check(run)
        return self._add("recurringruns", {"status": "ENABLED", **run})

    def _check(self, run: _Record) -> None:
        """Refuses a run of what is not there, or with parameters that are not declared."""
        reference = run["pipeline_version_reference"]
        self._one("pipelines", reference["pipeline_id"])
        self._one("experiments", run["experiment_id"])
        spec = self._one("versions", reference["pipeline_version_id"])["pipeline_spec"]
        spec = spec.get("pipeline_spec", spec)
        declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
        for name, value in run["runtime_config"].get("parameters", {}).items():
            kind = declared.get(name, {}).get("parameterType")
            if kind is None or not isinstance(value, _PYTHON_TYPES[kind]):
                message = f"parameter {name} of {value!r}\nis not what the pipeline declares"
                raise _RefusedError(HTTPStatus.BAD_REQUEST, message)

    def _start(self, run: _Record) -> _Record:
        self._check(run)
        self.started.append(run)
        record = self._add("runs", {"state": "RUNNING", **run})
        if self.play:
            package = self.packages[run["pipeline_version_reference"]["pipeline_version_id"]]
            played = self.play(package, run["runtime_config"].get("parameters", {}))
            self._finish(record, played)
        return record

    def _terminate(self, record: _Record) -> None:
        """Stops a run, which is called failed soon after."""
        now = datetime.now(UTC).isoformat()
        history = [{"update_time": now, "state": state} for state in ("CANCELING", "FAILED")]
        record |= {"state": "FAILED", "state_history": history}

    def _finish(self, record: _Record, run: Run) -> None:
        """Gives a run the details that the real server takes from the workflow's nodes."""
        now = datetime.now(UTC).isoformat()
        # What the launcher keeps for the cache is among them.
        details: list[_Record] = [{"task_id": "cache-1", "execution_id": "1", "child_tasks": []}]
        workflow = "workflow-x7"

        def node(name: str) -> str:
            digest = 0x811C9DC5
            for byte in name.encode():
                digest = (digest ^ byte) * 0x01000193 % 2**32
            return f"{workflow}-{digest}"

        def add(shown: str, state: str | None, children: list[str]) -> None:
            record = {"display_name": shown, "start_time": now, "end_time": now, "state": state}
            details.append({**record, "child_tasks": [{"pod_name": each} for each in children]})

        def add_retried(name: str, shown: str, state: str | None, children: list[str]) -> None:
            """Adds a node, and under it the one attempt at it."""
            add(shown, state, [node(f"{name}(0)")])
            add(f"{shown}(0)", state, children)

        failed = "FAILED" if run.failed else "SUCCEEDED"
        root = f"{workflow}(0).root"
        drivers = [node(f"{root}(0).{name}-driver") for name in [*run.cached, *run.ended]]
        add_retried(workflow, workflow, failed, [node(f"{workflow}(0).root-driver")])
        add_retried(f"{root}-driver", "root-driver", "SUCCEEDED", [node(root)])
        add_retried(root, "root", failed, drivers)
        for name in [*run.cached, *run.ended]:
            ended = run.ended.get(name)
            state = "FAILED" if ended and ended.code else "SUCCEEDED"
            task = f"{root}(0).{name}"
            add_retried(f"{task}-driver", f"{name}-driver", "SUCCEEDED", [node(task)])
            executor = f"{task}(0).executor"
            add_retried(task, name, state, [node(executor)])
            if not ended:
                add("executor", "SKIPPED", [])
                continue
            add_retried(executor, "executor", state, [])
            launcher = f"F1 main.go:59] failed to execute component: exit status {ended.code}\n"
            # The last line is Argo's.
            told = f"{launcher}Error: exit status 1\n" if ended.code else ""
            _, number = node(f"{executor}(0)").rsplit("-", 1)
            self._logs[f"{workflow}-system-container-impl-{number}"] = ended.said + told
        if run.failed:
            # A state that the API does not know is left out.
            add("Never-driver", None, [])
            add("Never", None, [])
        record["state"] = failed
        record["run_details"] = {"task_details": details}

    def log(self, path: str) -> str | None:
        """Returns the log of a pod, or None where the path is not of a log.

        What the real server says of a log that is not there is called a success, too.
        """
        found = re.fullmatch(r"/apis/v1alpha1/runs/([^/]+)/nodes/([^/]+)/log", path)
        missing = json.dumps({"error_message": "BadRequestError: Failed to read logs"})
        return self._logs.get(found[2], missing) if found else None

    def _add(self, kind: str, record: _Record) -> _Record:
        self._added[kind] += 1
        name = f"{kind}-{self._added[kind]}"
        added = {**record, _ID[kind]: name, "created_at": datetime.now(UTC).isoformat()}
        getattr(self, kind)[name] = added
        return added

    def _delete(self, kind: str, name: str) -> _Record:
        self._one(kind, name)
        del getattr(self, kind)[name]
        return {}

    def _one(self, kind: str, name: str) -> _Record:
        records: dict[str, _Record] = getattr(self, kind)
        if name not in records:
            raise _RefusedError(HTTPStatus.NOT_FOUND, f"{name} not found")
        return records[name]


def _spec(package: bytes) -> _Record:
    """Returns the spec in the API's form, or refuses what is none."""
    try:
        spec, *platforms = yaml.safe_load_all(package)
        json_format.ParseDict(spec, PipelineSpec())
        for platform in platforms:
            json_format.ParseDict(platform, PlatformSpec())
    except (yaml.YAMLError, json_format.ParseError) as error:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, f"unknown template format: {error}") from error
    if spec.get("schemaVersion") != "2.1.0":
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "KFP only supports schema version 2.1.0")
    return {"pipeline_spec": spec, "platform_spec": platforms[0]} if platforms else spec


def _passes(record: _Record, query: dict[str, str]) -> bool:
    predicates = json.loads(query.get("filter") or "{}").get("predicates", [])
    owners = {key: query[key] for key in ("experiment_id", "namespace") if query.get(key)}
    return all(record[each["key"]] == each["stringValue"] for each in predicates) and all(
        record.get(key) == owner for key, owner in owners.items()
    )


def _page(key: str, records: list[_Record], query: dict[str, str]) -> _Record:
    found = records[::-1] if query.get("sort_by") == "created_at desc" else records
    start = int(query.get("page_token") or 0)
    end = start + min(int(query.get("page_size", _PAGE_SIZE)), _PAGE_SIZE)
    # Without any, the real server leaves the key out.
    page: _Record = {key: found[start:end], "total_size": len(found)} if found else {}
    return {**page, "next_page_token": str(end)} if end < len(found) else page


def _uploaded(content_type: str, body: bytes) -> bytes:
    """Returns the file in a multipart form of one file."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    (part,) = form.iter_parts()
    assert re.search(r"\.(tar\.gz|yaml|zip)$", part.get_filename() or "")
    content = part.get_content()
    return content.encode() if isinstance(content, str) else bytes(content)


@contextmanager
def kfp_server(multi_user: bool = False) -> Iterator[KfpServer]:
    """Serves the API on a free port of 127.0.0.1 and yields what keeps the calls."""
    state = KfpServer(multi_user=multi_user)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            split = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.tokens.add(self.headers.get("Authorization"))
            content_type = self.headers.get("Content-Type", "")
            if content_type.startswith("multipart/"):
                body = _uploaded(content_type, body)
            query = dict(urllib.parse.parse_qsl(split.query))
            path = urllib.parse.unquote(split.path)
            log = state.log(path)
            if log is not None:
                self._send(HTTPStatus.OK, "text/plain", log.encode())
                return
            try:
                answer = state.answer(self.command, path, query, body)
            except _RefusedError as error:
                said = str(error)
                # Uploads are answered in a form of their own.
                uploads = re.search(r"/upload(_version)?$", path)
                form = {"error_message": said} if uploads else {"code": 3, "message": said}
                self._reply(error.status, form)
                return
            if answer is None:
                state.unknown.append(f"{self.command} {split.path}")
                self._reply(HTTPStatus.NOT_IMPLEMENTED, {"error": "not implemented"})
                return
            self._reply(HTTPStatus.OK, answer)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

        def _reply(self, status: HTTPStatus, answer: _Record) -> None:
            self._send(status, "application/json", json.dumps(answer).encode())

        def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
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
