"""The real `tfx` command, with the project installed as a wheel, from a folder outside it."""

import json
import os

import pytest
import yaml
from google.protobuf import json_format

from tests.kubeflow.foreign_folder import IMAGE, QUICK
from tests.kubeflow.kfp_server import kfp_server
from tests.kubeflow.tfx_command import Command, run_alone, run_in_one_process


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", QUICK)
def test_kubeflow_takes_a_pipeline_its_update_and_a_run(upload, pipeline):
    result = upload(pipeline)
    failed = {words: done.said for words, done in result.done.items() if done.code != 0}
    assert not failed and not result.server.unknown
    assert f'"{pipeline}" created successfully' in result.done["pipeline create"].said
    assert f'"{pipeline}" updated successfully' in result.done["pipeline update"].said
    assert f"| {pipeline} " in result.done["pipeline list"].said
    for words in ("run create", "run list", "run status"):
        assert "runs-1" in result.done[words].said and "RUNNING" in result.done[words].said

    # The server has looked at the packages.
    assert list(result.server.packages) == ["versions-1", "versions-2"]
    with open(os.path.join(result.folder.path, f"{pipeline}.yaml"), "rb") as file:
        assert file.read() == result.server.packages["versions-2"]

    (run,) = result.server.started
    assert run["runtime_config"]["parameters"] == QUICK[pipeline]
    assert run["experiment_id"] == "experiments-1"
    assert run["pipeline_version_reference"] == {
        "pipeline_id": "pipelines-1",
        "pipeline_version_id": "versions-2",
    }
    server = result.server
    assert not (server.pipelines or server.versions or server.experiments or server.runs)


@pytest.mark.slow
def test_the_executable_does_the_same_in_a_process_for_each_command(foreign_folder):
    folder = foreign_folder("census")
    path = ["--pipeline_path", folder.runner("kubeflow/kubeflow_runner.py")]
    with kfp_server() as server:
        for words, more in (
            ("pipeline create", path),
            ("run create", ["--pipeline_name", "census"]),
        ):
            arguments = [*words.split(), "--engine=kubeflow", "--endpoint", server.url, *more]
            done = run_alone(Command(arguments, folder.for_kubeflow), folder.path)
            assert done.code == 0, done.said
    assert list(server.packages) == ["versions-1"] and list(server.runs) == ["runs-1"]


def run_on(server, folder, *commands, environment=()):
    """Runs commands for Kubeflow, each a list of words, and returns how they ended."""
    variables = {**folder.for_kubeflow, **dict(environment)}
    engine = ["--engine", "kubeflow"]
    endpoint = ["--endpoint", server.url]
    return run_in_one_process(
        [
            Command([*words, *engine, *(() if "schema" in words else endpoint)], variables)
            for words in commands
        ],
        folder.path,
    )


@pytest.mark.slow
def test_what_kubeflow_refuses_is_told_in_one_line(foreign_folder):
    folder = foreign_folder("census")
    path = ["--pipeline_path", folder.runner("kubeflow/kubeflow_runner.py")]
    name = ["--pipeline_name", "census"]
    start = ["run", "create", *name, "--runtime_parameter"]
    with kfp_server() as server:
        answers = run_on(
            server,
            folder,
            ["pipeline", "list"],
            ["pipeline", "update", *path],
            ["run", "list", *name],
            ["pipeline", "create", *path],
            ["run", "list", *name],
            ["pipeline", "create", *path],
            [*start, "epochs=3"],
            [*start, "train_epochs=three"],
            ["run", "status", *name, "--run_id", "runs-9"],
            ["pipeline", "schema", *name],
        )
        url = server.url
    assert list(server.packages) == ["versions-1"] and not server.started
    for done, (code, told) in zip(
        answers,
        [
            (0, "No pipelines to display."),
            (1, 'Error: Cannot find pipeline "census"'),
            (1, 'Error: Cannot find pipeline "census"'),
            (0, 'Pipeline "census" created successfully.'),
            (0, "No runs found."),
            (1, 'Error: Pipeline "census" already exists: use tfx pipeline update'),
            (1, "Error: no run-time parameter 'epochs'; there are: accept_drift, data_root"),
            (1, "Error: train_epochs=three: must be a whole number"),
            (1, f"Error: {url}: 404 runs-9 not found"),
            (1, "Error: not supported for kubeflow: the schema is an output"),
        ],
        strict=True,
    ):
        assert done.code == code and done.last_line.startswith(told), done.said[-2000:]


@pytest.mark.slow
def test_a_token_and_a_namespace_reach_kubeflow(foreign_folder, tmp_path):
    folder = foreign_folder("census")
    path = ["--pipeline_path", folder.runner("kubeflow/kubeflow_runner.py")]
    (tmp_path / "token").write_text("a-token\n")
    mine = ["--namespace", "mine"]
    with kfp_server(multi_user=True) as server:
        answers = run_on(
            server,
            folder,
            ["pipeline", "create", *path, *mine],
            ["pipeline", "update", *path, *mine],
            ["pipeline", "update", *path, *mine],
            ["run", "create", "--pipeline_name", "census", *mine],
            ["pipeline", "list", "--namespace", "yours"],
            ["pipeline", "delete", "--pipeline_name", "census", *mine],
            environment={"KF_PIPELINES_SA_TOKEN_PATH": str(tmp_path / "token")},
        )
    assert [done.code for done in answers] == [0] * 6, [done.said for done in answers]
    assert server.tokens == {"Bearer a-token"}
    assert "No pipelines to display." in answers[-2].said
    assert server.started[0]["pipeline_version_reference"]["pipeline_version_id"] == "versions-3"
    assert len(server.packages) == 3 and not (server.pipelines or server.versions)


PENGUIN = """
from tfx import v1 as tfx
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as kubeflow

def pipeline():
    data = tfx.dsl.experimental.RuntimeParameter(name="data", default="gs://b/penguin", ptype=str)
    examples = tfx.components.CsvExampleGen(input_base=data)
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"])
    return tfx.dsl.Pipeline(
        pipeline_name="penguin",
        pipeline_root="gs://b/root",
        components=[examples, statistics, schema],
    )

if __name__ == "__main__":
    kubeflow.KubeflowV2DagRunner(
        config=kubeflow.KubeflowV2DagRunnerConfig(
            default_image="registry.example/penguin:1", use_pipeline_spec_2_1=True
        ),
        output_filename="penguin.yaml",
    ).run(pipeline(), parameter_values={"data": "gs://b/penguin"})
"""


@pytest.mark.slow
def test_any_other_tfx_pipeline_goes_the_same_way(foreign_folder, tmp_path):
    folder = foreign_folder("census")
    (tmp_path / "penguin.py").write_text(PENGUIN)
    path = ["--pipeline_path", str(tmp_path / "penguin.py")]
    name = ["--pipeline_name", "penguin"]
    with kfp_server() as server:
        answers = run_on(
            server,
            folder,
            ["pipeline", "create", *path],
            ["pipeline", "update", *path],
            ["run", "create", *name, "--runtime_parameter", "data=gs://b/other"],
            ["run", "list", *name],
            ["pipeline", "delete", *name],
        )
    assert [done.code for done in answers] == [0] * 5, [done.said for done in answers]
    assert "runs-1" in answers[3].said and not server.unknown and not server.pipelines
    (run,) = server.started
    assert run["runtime_config"]["parameters"] == {"data": "gs://b/other"}
    spec = yaml.safe_load(server.packages["versions-2"])
    images = {e["container"]["image"] for e in spec["deploymentSpec"]["executors"].values()}
    assert images == {"registry.example/penguin:1"} and len(spec["components"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", QUICK)
def test_vertex_gets_the_job_in_the_project_and_the_region(foreign_folder, pipeline):
    # The client of Google's services takes seconds to import.
    from tests.kubeflow.vertex_endpoint import CLIENT_PRELUDE, vertex_endpoint

    folder = foreign_folder(pipeline)
    path = ["--pipeline_path", folder.runner("kubeflow/vertex_runner.py")]
    with vertex_endpoint() as endpoint:
        environment = {
            **folder.for_vertex,
            "DATA_ROOT": "gs://bucket/data",
            "VERTEX_PORT": str(endpoint.port),
        }
        run = ["--pipeline_name", pipeline, "--project", "a-project", "--region", "europe-west4"]
        commands = [
            Command([*words, "--engine", "vertex", *more], environment)
            for words, more in (
                (["pipeline", "compile"], path),
                (["pipeline", "create"], path),
                (["pipeline", "list"], []),
                (["run", "create"], [*run, "--runtime_parameter=train_epochs=3"]),
            )
        ]
        answers = run_in_one_process(commands, folder.path, CLIENT_PRELUDE)
    assert [done.code for done in answers] == [0] * 4, [done.said for done in answers]
    assert pipeline in answers[2].said
    assert "PIPELINE_STATE_PENDING" in answers[3].said
    (request,) = endpoint.requests
    assert request.parent == "projects/a-project/locations/europe-west4"
    job = request.pipeline_job
    with open(os.path.join(folder.path, "pipeline.json"), encoding="utf-8") as file:
        compiled = json.load(file)
    sent = json_format.MessageToDict(type(job).pb(job))
    assert sent["pipelineSpec"] == compiled["pipelineSpec"]
    config = sent["runtimeConfig"]
    assert config["gcsOutputDirectory"] == f"gs://bucket/results/{pipeline}/artifacts"
    assert config["parameters"]["train_epochs"] == {"intValue": "3"}
    assert config["parameters"]["data_root"] == {"stringValue": "gs://bucket/data"}
    assert IMAGE in json.dumps(sent)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["beam", "local"])
def test_on_this_machine_a_created_pipeline_runs_to_a_pushed_model(foreign_folder, engine):
    folder = foreign_folder("census")
    settings = " ".join(f"{name}={value}" for name, value in QUICK["census"].items())
    folder.environment["SETTINGS"] += f" {settings}"
    path = ["--pipeline_path", folder.runner(f"pipeline/{engine}_runner.py")]
    name = ["--pipeline_name", "census"]
    for words, more in (("pipeline create", path), ("pipeline list", []), ("run create", name)):
        arguments = [*words.split(), "--engine", engine, *more]
        done = run_alone(Command(arguments, folder.environment), folder.path)
        assert done.code == 0, done.said
    assert len(folder.pushed()) == 1


@pytest.mark.slow
def test_a_mistake_is_told_in_one_line(foreign_folder, tmp_path):
    folder = foreign_folder("census")
    (tmp_path / "pip").write_text("#!/bin/sh\n")
    (tmp_path / "pip").chmod(0o755)
    no_kfp = {"PATH": f"{tmp_path}:{folder.environment['PATH']}"}
    typo = {"PIPELINE": "ncff"}
    cases = [
        # First, before another runner has imported the package whose folder this one lies in.
        ("beam", "pipeline/beam_runner.py", typo, "error: PIPELINE='ncff': "),
        ("local", "pipeline/local_runner.py", typo, "error: PIPELINE='ncff': "),
        ("kubeflow", "kubeflow/kubeflow_runner.py", typo, "error: PIPELINE='ncff': "),
        (
            *("kubeflow", "kubeflow/vertex_runner.py", folder.for_vertex),
            "Error: pipeline.json: Kubeflow Pipelines",
        ),
        ("kubeflow", "kubeflow/missing.py", {}, "Invalid pipeline path: "),
        ("kubeflow", "kubeflow/kubeflow_runner.py", no_kfp, "Kubeflow not found."),
    ]
    for name in ("PIPELINE_IMAGE", "DATA_ROOT", "PIPELINE_ROOT"):
        told = f"error: {name} is not set: the "
        cases.append(("kubeflow", "kubeflow/kubeflow_runner.py", {name: ""}, told))
        cases.append(("vertex", "kubeflow/vertex_runner.py", {name: ""}, told))
    for engine in ("kubeflow", "vertex"):
        elsewhere = {"DATA_ROOT": "s3://bucket/adult"}
        told = "error: DATA_ROOT='s3://bucket/adult': must be gs://bucket/folder"
        cases.append((engine, f"kubeflow/{engine}_runner.py", elsewhere, told))
    for name, value, told in (
        ("SETTINGS", "epochs=3", "epochs=3: census has no setting 'epochs'; did you mean train_"),
        ("TRAINER_GPUS", "one", "error: TRAINER_GPUS='one': must be a whole number"),
        ("BEAM_ENGINE", "fling", "error: BEAM_ENGINE='fling': "),
    ):
        cases.append(("kubeflow", "kubeflow/kubeflow_runner.py", {name: value}, told))
    commands = []
    for engine, runner, change, _ in cases:
        path = ["--pipeline_path", folder.runner(runner)]
        variables = getattr(folder, f"for_{engine}", folder.environment)
        environment = {**variables, **change}
        commands.append(Command(["pipeline", "compile", "--engine", engine, *path], environment))
    answers = run_in_one_process(commands, folder.path)
    for (*case, told), done in zip(cases, answers, strict=True):
        assert done.code == 1 and told in done.last_line, (case, done.said[-2000:])
        assert "Traceback" not in done.said
