import difflib
import itertools
import json
import os
import re

import pytest
import yaml

from tests.kubeflow.compiled import ENGINES, ENVIRONMENT, PIPELINES, compile_pipeline, golden_text
from tests.kubeflow.renew_goldens import golden_path

IMAGE = ENVIRONMENT["PIPELINE_IMAGE"]
BEAM_STEPS = {"StatisticsGen", "Transform", "Evaluator"}
BOUNDS = {
    "ncf": {"min_hit_rate", "min_ndcg"},
    "movielens": {"max_rmse"},
    "census": {"min_accuracy", "min_auc"},
}
ALL = list(itertools.product(PIPELINES, ENGINES))


@pytest.fixture(scope="module")
def compiled():
    return {(pipeline, engine): compile_pipeline(pipeline, engine) for pipeline, engine in ALL}


def argo_steps(workflow):
    """Container templates by component id."""
    found = {}
    for template in workflow["spec"]["templates"]:
        if "container" in template:
            arguments = template["container"]["args"]
            found[arguments[arguments.index("--node_id") + 1]] = template
    return found


def vertex_containers(job):
    """Container specs by component id."""
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"]
    return {
        name.removesuffix("_executor"): executor["container"]
        for name, executor in executors.items()
        if "container" in executor
    }


@pytest.mark.parametrize(("pipeline", "engine"), ALL)
def test_compiled_pipeline_equals_its_golden(compiled, pipeline, engine):
    path = golden_path(pipeline, engine)
    with open(path, encoding="utf-8") as file:
        golden = file.read()
    text = golden_text(compiled[pipeline, engine])
    if text != golden:
        difference = difflib.unified_diff(
            golden.splitlines(), text.splitlines(), os.path.basename(path), "compiled", lineterm=""
        )
        pytest.fail("\n".join([*difference, "`make goldens` renews the goldens"]))


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_argo_steps_get_the_resources_that_they_use(compiled, pipeline):
    for component, step in argo_steps(compiled[pipeline, "kubeflow"]).items():
        resources = step["container"].get("resources", {})
        selector = step.get("nodeSelector", {})
        if component == "Trainer":
            assert resources == {"limits": {"nvidia.com/gpu": "1"}}
            assert selector == {"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"}
            continue
        assert not selector
        if component in BEAM_STEPS or component.endswith("ExampleGen"):
            assert resources["requests"] == {"cpu": "4", "memory": "16Gi"}
            assert resources["limits"] == {"memory": "16Gi"}
        else:
            assert not resources


def test_a_tuner_gets_the_trainers_resources_and_run_time_parameters():
    tuned = {"SETTINGS": "tune=true tune_trials=3"}
    argo = argo_steps(compile_pipeline("ncf", "kubeflow", **tuned))
    job = compile_pipeline("ncf", "vertex", **tuned)
    vertex = vertex_containers(job)
    for found in ({name: step["container"] for name, step in argo.items()}, vertex):
        assert found["Tuner"]["resources"] == found["Trainer"]["resources"]
    assert "{{inputs.parameters.train_epochs}}" in str(argo["Tuner"]["container"]["args"])
    tasks = job["pipelineSpec"]["root"]["dag"]["tasks"]
    parameters = tasks["Tuner"]["inputs"]["parameters"]
    assert parameters["seed"] == {"componentInputParameter": "seed"}
    assert '"tune_trials": 3' in str(parameters["custom_config"])
    best = tasks["Trainer"]["inputs"]["artifacts"]["hyperparameters"]["taskOutputArtifact"]
    assert best["producerTask"] == "Tuner"


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_vertex_steps_get_the_resources_that_they_use(compiled, pipeline):
    for component, container in vertex_containers(compiled[pipeline, "vertex"]).items():
        resources = container.get("resources", {})
        if component == "Trainer":
            assert resources == {"accelerator": {"type": "NVIDIA_TESLA_T4", "count": "1"}}
        elif component in BEAM_STEPS:
            assert resources == {"cpuLimit": 4.0, "memoryLimit": 16.0}
        else:
            assert not resources


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_step_runs_the_image(compiled, pipeline):
    steps = argo_steps(compiled[pipeline, "kubeflow"])
    containers = vertex_containers(compiled[pipeline, "vertex"])
    assert {step["container"]["image"] for step in steps.values()} == {IMAGE}
    assert {container["image"] for container in containers.values()} == {IMAGE}
    assert len(steps) == 11


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_changes_between_runs_is_a_parameter(compiled, pipeline):
    names = {"data_root", "train_epochs", "seed"} | BOUNDS[pipeline]
    workflow, job = (compiled[pipeline, engine] for engine in ENGINES)
    arguments = {
        entry["name"]: entry["value"] for entry in workflow["spec"]["arguments"]["parameters"]
    }
    assert set(arguments) == names | {"pipeline-root"}
    assert arguments["data_root"] == ENVIRONMENT["DATA_ROOT"]
    assert set(job["runtimeConfig"]["parameters"]) == names
    assert job["runtimeConfig"]["parameters"]["seed"] == {"intValue": "0"}
    assert set(job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]) == names


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_argo_steps_run_as_the_account_of_pipelines(compiled, pipeline):
    assert compiled[pipeline, "kubeflow"]["spec"]["serviceAccountName"] == "pipeline-runner"


@pytest.mark.parametrize(("pipeline", "engine"), ALL)
def test_nothing_of_the_building_machine_is_in_it(compiled, pipeline, engine, tmp_path):
    text = json.dumps(compiled[pipeline, engine])
    here = [os.path.expanduser("~"), os.path.dirname(os.path.dirname(os.__file__)), os.getcwd()]
    for path in (*here, str(tmp_path.parent)):
        assert len(path) < 5 or path not in text
    secrets = re.findall(r"(?i)password|secret|token|credential", text)
    assert not secrets


@pytest.mark.parametrize(("pipeline", "engine"), ALL)
def test_names_fit_kubernetes(compiled, pipeline, engine):
    document = compiled[pipeline, engine]
    names = (
        [template["name"] for template in document["spec"]["templates"]]
        if engine == "kubeflow"
        else list(document["pipelineSpec"]["components"])
    )
    assert all(len(name) <= 63 for name in names)


DATAFLOW = {
    "BEAM_ENGINE": "dataflow",
    "GOOGLE_CLOUD_PROJECT": "project",
    "GOOGLE_CLOUD_REGION": "region",
}


def test_argo_beam_steps_on_dataflow_carry_its_arguments_and_need_no_machine():
    for component, step in argo_steps(compile_pipeline("census", "kubeflow", **DATAFLOW)).items():
        is_beam = component in BEAM_STEPS or component.endswith("ExampleGen")
        assert ("--runner=DataflowRunner" in json.dumps(step)) == is_beam
        assert bool(step["container"].get("resources")) == (component == "Trainer")


def test_vertex_beam_steps_on_dataflow_carry_its_arguments_and_need_no_machine():
    job = compile_pipeline("census", "vertex", **DATAFLOW)
    for component, container in vertex_containers(job).items():
        is_beam = component in BEAM_STEPS or component.endswith("ExampleGen")
        assert ("--runner=DataflowRunner" in container["args"]) == is_beam
        assert (f"--sdk_container_image={IMAGE}" in container["args"]) == is_beam
        assert bool(container.get("resources")) == (component == "Trainer")


def test_trainer_without_gpus_asks_for_none():
    job = compile_pipeline("census", "vertex", TRAINER_GPUS="0")
    assert "accelerator" not in json.dumps(job)


def test_pipeline_spec_2_1_holds_the_defaults_of_its_parameters(tmp_path, monkeypatch):
    from kubeflow import vertex_runner

    monkeypatch.chdir(tmp_path)
    for name, value in {**ENVIRONMENT, "PIPELINE": "census", "PIPELINE_SPEC": "2.1"}.items():
        monkeypatch.setenv(name, value)
    vertex_runner.run()
    spec = yaml.safe_load((tmp_path / "pipeline.yaml").read_text(encoding="utf-8"))
    assert spec["schemaVersion"] == "2.1.0"
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert parameters["data_root"]["defaultValue"] == ENVIRONMENT["DATA_ROOT"]
    assert parameters["seed"]["defaultValue"] == 0
