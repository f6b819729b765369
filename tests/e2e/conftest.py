import base64
import dataclasses
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest
import tensorflow as tf

from pipeline.cli.main import main

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


@dataclasses.dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def mistake(self):
        """The one line that tells of a user's mistake.

        In this process the stack's logs get past the file descriptors to pytest's own stream.
        """
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert self.err.splitlines()[-1:] == lines
        return lines[0]


class Workplace:
    """A data root and an output root for runs of one pipeline."""

    def __init__(self, pipeline, folder):
        self.pipeline = pipeline
        self.folder = folder
        self.data = str(folder / "data")
        self.home = str(folder / "output" / pipeline)

    def _arguments(self, arguments):
        if "--dataset" not in arguments:
            arguments = ["--dataset", "sample", *arguments]
        roots = ["--data-root", self.data, "--output-root", os.path.dirname(self.home)]
        return ["run", self.pipeline, "--no-download", *roots, *arguments]

    def command(self, *arguments):
        """The command line of a run."""
        return [sys.executable, "-m", "pipeline", *self._arguments(arguments)]

    def run(self, *arguments):
        """Runs the command line in a process of its own.

        Transform's lookup tables have names that two pipelines in one process would share.
        """
        command = self.command(*arguments)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return Done(done.returncode, done.stdout, done.stderr)

    def run_here(self, capfd, *arguments):
        """Runs the command line in this process, which has paid for the imports."""
        capfd.readouterr()
        code = main(self._arguments(arguments))
        return Done(code, *capfd.readouterr())

    def use(self, capfd, *arguments):
        """Runs a command that uses what runs left, in this process."""
        capfd.readouterr()
        code = main([*arguments, "--output-root", os.path.dirname(self.home)])
        return Done(code, *capfd.readouterr())

    def summary(self):
        with open(os.path.join(self.home, "summary.json"), encoding="utf-8") as file:
            return json.load(file)

    def executed(self):
        """Components that ran in the latest run."""
        summary = self.summary()
        return set(summary["seconds"]) - set(summary["cached"])

    def pushed(self):
        serving = os.path.join(self.home, "serving")
        return sorted(os.listdir(serving)) if os.path.isdir(serving) else []


@pytest.fixture(scope="module")
def workplace(request, tmp_path_factory):
    """A workplace for the pipeline that the test module names in PIPELINE."""
    name = request.module.PIPELINE
    return Workplace(name, tmp_path_factory.mktemp(name))


@pytest.fixture
def rest():
    """Returns a function that answers a request as TensorFlow Serving's REST API does.

    It takes a SavedModel's folder and the request's JSON, in the row format, `instances`, or the
    column format, `inputs`, and returns the answer's JSON.
    https://www.tensorflow.org/tfx/serving/api_rest#predict_api
    """

    def plain(value):
        if isinstance(value, dict) and set(value) == {"b64"}:
            return base64.b64decode(value["b64"])
        return [plain(entry) for entry in value] if isinstance(value, list) else value

    def answer(folder, body):
        request = json.loads(body)
        name = request.get("signature_name", "serving_default")
        signature = tf.saved_model.load(folder).signatures[name]
        _, specs = signature.structured_input_signature
        by_row = "instances" in request
        values = request["instances" if by_row else "inputs"]
        sample = values[0] if by_row else values
        if not isinstance(sample, dict) or set(sample) == {"b64"}:
            columns = {next(iter(specs)): values}
        elif by_row:
            columns = {key: [row[key] for row in values] for key in values[0]}
        else:
            columns = values
        tensors = {key: tf.constant(plain(v), specs[key].dtype) for key, v in columns.items()}
        outputs = {key: value.numpy().tolist() for key, value in signature(**tensors).items()}
        if not by_row:
            found = {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}
        elif len(outputs) == 1:
            found = {"predictions": next(iter(outputs.values()))}
        else:
            rows = zip(*outputs.values(), strict=True)
            found = {"predictions": [dict(zip(outputs, row, strict=True)) for row in rows]}
        return json.loads(json.dumps(found, allow_nan=False))

    return answer


_FRAME = """<!DOCTYPE html><title>frame</title>
<iframe src="/report.html" style="width:{width}px;height:5000px;border:0"></iframe><script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentWindow;
  const out = document.documentElement.dataset;
  out.width = page.innerWidth;
  out.content = page.document.documentElement.scrollWidth;
  out.requests = page.performance.getEntriesByType("resource").length;
}});
</script>"""


class _Server(http.server.BaseHTTPRequestHandler):
    """Serves a report, and for a number the report in a frame of that width."""

    def __init__(self, report, *arguments):
        self._report = report
        super().__init__(*arguments)

    def do_GET(self):
        width = self.path.strip("/")
        text = _FRAME.format(width=width) if width.isdecimal() else self._report
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if not width.isdecimal():
            # Whatever else the page asks for is an error on the console.
            policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *unused):
        pass


@pytest.fixture
def browser(tmp_path):
    """Returns a function that looks at a report in Chromium, at a width in pixels.

    It returns the width that the page's content takes and what went wrong: messages on the console,
    and requests for anything but the page.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium here")

    def look(path, width):
        with open(path, encoding="utf-8") as file:
            handler = functools.partial(_Server, file.read())
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}/{width}"
            flags = [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--enable-logging=stderr",
                "--hide-scrollbars",
            ]
            folder = f"--user-data-dir={tmp_path / 'chromium'}"
            size = "--window-size=1400,5100"
            command = [chromium, *flags, folder, size, "--dump-dom", address]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            server.shutdown()
        seen = dict(re.findall(r'data-(width|content|requests)="(\d+)"', done.stdout))
        assert seen["width"] == str(width), done.stderr
        faults = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
        if seen["requests"] != "0":
            faults.append(f"{seen['requests']} requests")
        return int(seen["content"]), faults

    return look


@pytest.fixture
def figures():
    """Returns a function that reads the figures of a report, each exact as it stands there."""

    def read(path):
        with open(path, encoding="utf-8") as file:
            return {float(value) for value in re.findall(r'<data value="([^"]+)"', file.read())}

    return read
