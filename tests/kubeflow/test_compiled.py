import difflib
import itertools
import json
import os
import re

import pytest
from google.protobuf import json_format
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec, PlatformSpec

from tests.kubeflow.compiled import (
    ENGINES,
    ENVIRONMENT,
    PIPELINES,
    compile_pipeline,
    golden_text,
    spec_of,
)
from tests.kubeflow.renew_goldens import golden_path

IMAGE = ENVIRONMENT["PIPELINE_IMAGE"]
BEAM_STEPS = {"StatisticsGen", "Transform", "Evaluator"}
BOUNDS = {
    "ncf": {"min_hit_rate", "min_ndcg", "min_full_hit_rate", "min_full_ndcg"},
    "movielens": {"max_rmse"},
    "census": {"min_accuracy", "min_auc"},
}
ALL = list(itertools.product(PIPELINES, ENGINES))


@pytest.fixture(scope="module")
def compiled():
    return {(pipeline, engine): compile_pipeline(pipeline, engine) for pipeline, engine in ALL}


def containers(documents):
    """Container specs by component id."""
    executors = spec_of(documents)["deploymentSpec"]["executors"]
    return {
        name.removesuffix("_executor"): executor["container"]
        for name, executor in executors.items()
        if "container" in executor
    }


def is_beam(component):
    return component in BEAM_STEPS or component.endswith("ExampleGen")


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


def on_kubeflow(gpus, cpus, gigabytes):
    """Resources of the Trainer and of a step in Beam, whose memory is in GB, not in GiB."""
    memory = pytest.approx(gigabytes, abs=0.001)
    return {
        "Trainer": {"accelerator": {"type": "nvidia.com/gpu", "count": gpus}},
        "Beam": {"cpuRequest": cpus, "memoryRequest": memory, "memoryLimit": memory},
    }


def on_vertex(gpu_type, gpus, cpus, gib):
    """The same, in GiB."""
    return {
        "Trainer": {"accelerator": {"type": gpu_type, "count": gpus}},
        "Beam": {"cpuLimit": cpus, "memoryLimit": gib},
    }


RESOURCES = {
    "kubeflow": on_kubeflow("1", 4.0, 17.18),
    "vertex": on_vertex("NVIDIA_TESLA_T4", "1", 4.0, 16.0),
}
ASKED = {
    "kubeflow": on_kubeflow("2", 8.0, 3.221),
    "vertex": on_vertex("NVIDIA_L4", "2", 8.0, 3.0),
}


@pytest.mark.parametrize(("pipeline", "engine"), ALL)
def test_steps_get_the_resources_that_they_use(compiled, pipeline, engine):
    for component, container in containers(compiled[pipeline, engine]).items():
        use = "Beam" if is_beam(component) else component
        assert container.get("resources", {}) == RESOURCES[engine].get(use, {})


@pytest.mark.parametrize("engine", ENGINES)
def test_steps_get_the_resources_that_variables_ask_for(engine):
    variables = {"TRAINER_GPUS": "2", "TRAINER_GPU_TYPE": "nvidia-l4"}
    variables |= {"BEAM_CPUS": "8", "BEAM_MEMORY_GIB": "3"}
    found = containers(compile_pipeline("census", engine, **variables))
    assert found["Trainer"]["resources"] == ASKED[engine]["Trainer"]
    assert found["Transform"]["resources"] == ASKED[engine]["Beam"]


def test_a_tuner_gets_the_trainers_resources_and_run_time_parameters():
    for engine in ENGINES:
        documents = compile_pipeline("ncf", engine, SETTINGS="tune=true tune_trials=3")
        found = containers(documents)
        assert found["Tuner"]["resources"] == found["Trainer"]["resources"]
        tasks = spec_of(documents)["root"]["dag"]["tasks"]
        parameters = tasks["Tuner"]["inputs"]["parameters"]
        assert parameters["seed"] == {"componentInputParameter": "seed"}
        assert '"tune_trials": 3' in str(parameters["custom_config"])
        best = tasks["Trainer"]["inputs"]["artifacts"]["hyperparameters"]["taskOutputArtifact"]
        assert best["producerTask"] == "Tuner"


def test_everybody_is_recommended_something_only_after_the_push():
    for engine in ENGINES:
        documents = compile_pipeline("ncf", engine, SETTINGS="batch_top=5")
        task = spec_of(documents)["root"]["dag"]["tasks"]["BulkRecommender"]
        assert "Pusher" in task["dependentTasks"]
        assert set(task["inputs"]["artifacts"]) == {"examples", "model", "model_blessing"}
        (top,) = task["inputs"]["parameters"]["top"]["runtimeValue"].values()
        assert str(top) in ("5.0", "5", "{'intValue': '5'}")


def pods(documents):
    """Kubernetes' part by component id, checked against the messages of kfp-kubernetes."""
    _, platform = documents
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for config in executors.values():
        json_format.ParseDict(config, KubernetesExecutorConfig())
    return {name.removesuffix("_executor"): config for name, config in executors.items()}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_on_kubernetes_no_node_is_chosen_and_no_pod_is_roots(compiled, pipeline):
    found = pods(compiled[pipeline, "kubeflow"])
    assert found.keys() == containers(compiled[pipeline, "kubeflow"]).keys()
    assert all(each == {"securityContext": {"runAsNonRoot": True}} for each in found.values())


def test_on_kubernetes_steps_with_gpus_go_where_they_are_told():
    found = pods(
        compile_pipeline(
            "ncf",
            "kubeflow",
            SETTINGS="tune=true",
            TRAINER_NODE_SELECTOR="gpu=a100,pool=big",
            TRAINER_TOLERATIONS="nvidia.com/gpu:NoSchedule,team=ml:NoExecute",
        )
    )
    placed = {name for name, pod in found.items() if {"nodeSelector", "tolerations"} & pod.keys()}
    assert placed == {"Trainer", "Tuner"}
    for name in placed:
        assert found[name]["nodeSelector"] == {"labels": {"gpu": "a100", "pool": "big"}}
        assert found[name]["tolerations"] == [
            {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "team", "operator": "Equal", "value": "ml", "effect": "NoExecute"},
        ]


def test_on_kubernetes_every_step_has_the_volume_and_the_pull_secrets():
    documents = compile_pipeline(
        "census",
        "kubeflow",
        PIPELINE_ROOT="minio://mlpipeline/v2/artifacts",
        DATA_ROOT="/mnt/shared/adult",
        PIPELINE_VOLUME="shared-claim:/mnt/shared/",
        IMAGE_PULL_SECRETS="registry,mirror",
    )
    for pod in pods(documents).values():
        assert pod["pvcMount"] == [{"constant": "shared-claim", "mountPath": "/mnt/shared"}]
        names = [each["secretName"] for each in pod["imagePullSecret"]]
        assert names == ["registry", "mirror"]
    # What steps keep themselves is there; the artifacts are the launcher's to carry.
    text = json.dumps(documents)
    for folder in ("serving", "accepted", "checkpoints"):
        assert f"/mnt/shared/census/{folder}" in text
    assert documents[0]["defaultPipelineRoot"] == "minio://mlpipeline/v2/artifacts/census/artifacts"


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"TRAINER_NODE_SELECTOR": "a100"}, "TRAINER_NODE_SELECTOR='a100': must be label=value"),
        ({"TRAINER_TOLERATIONS": "gpu"}, "TRAINER_TOLERATIONS='gpu': must be key:effect or"),
        ({"TRAINER_TOLERATIONS": "gpu:Never"}, "TRAINER_TOLERATIONS='gpu:Never': must be key"),
        ({"PIPELINE_VOLUME": "claim"}, "PIPELINE_VOLUME='claim': must be claim:/path"),
        ({"PIPELINE_VOLUME": "claim:data"}, "PIPELINE_VOLUME='claim:data': must be claim:/path"),
        (
            {"PIPELINE_ROOT": "s3://b/p", "PIPELINE_VOLUME": "c:/v", "BEAM_ENGINE": "flink"}
            | {"BEAM_MASTER": "host:1"},
            "BEAM_ENGINE='flink': must be direct unless DATA_ROOT and PIPELINE_ROOT are gs://",
        ),
        (
            {"DATA_ROOT": "/v/d", "PIPELINE_VOLUME": "c:/v", "BEAM_ENGINE": "spark"}
            | {"BEAM_MASTER": "host:1"},
            "BEAM_ENGINE='spark': must be direct unless DATA_ROOT and PIPELINE_ROOT are gs://",
        ),
    ],
)
def test_a_variable_that_cannot_be_is_told_by_its_name(variables, told):
    with pytest.raises(SystemExit) as ended:
        compile_pipeline("ncf", "kubeflow", **variables)
    assert str(ended.value.code).startswith(f"error: {told}")


VOLUME = {"PIPELINE_VOLUME": "claim:/mnt/shared"}
ON_KUBEFLOW = "gs://bucket/folder or a folder in PIPELINE_VOLUME=claim:/path: "
ON_VOLUME = "gs://bucket/folder or a folder in /mnt/shared, where steps have PIPELINE_VOLUME: "
STORES = "gs://bucket/folder, or s3:// or minio:// with PIPELINE_VOLUME=claim:/path: "


@pytest.mark.parametrize(
    ("engine", "name", "value", "more", "what_works"),
    [
        *(
            (engine, "DATA_ROOT", value, {}, what_works)
            for engine, what_works in (
                ("kubeflow", ON_KUBEFLOW),
                ("vertex", "gs://bucket/folder: steps on Vertex can read nowhere else"),
            )
            for value in ("s3://b/d", "minio://b/d", "data/census", "/mnt/census", "gs://", "./d")
        ),
        *(
            ("kubeflow", "DATA_ROOT", value, VOLUME, ON_VOLUME)
            for value in ("s3://b/d", "/mnt/sharedness/d", "/mnt/shared/../d", "mnt/shared/d")
        ),
        ("vertex", "DATA_ROOT", "/mnt/shared/d", VOLUME, "gs://bucket/folder: steps on Vertex"),
        *(
            ("vertex", "PIPELINE_ROOT", value, VOLUME, "gs://bucket/folder: steps on Vertex")
            for value in ("s3://b/p", "minio://b/p", "results", "/mnt/shared/p")
        ),
        *(
            ("kubeflow", "PIPELINE_ROOT", value, {}, STORES)
            for value in ("s3://b/p", "minio://b/p", "results", "/mnt/p", "gs:///p")
        ),
        *(
            ("kubeflow", "PIPELINE_ROOT", value, VOLUME, "gs://bucket/folder, s3:// or minio://: ")
            for value in ("results", "/mnt/shared/p", "file:///mnt/shared")
        ),
    ],
)
def test_a_place_that_steps_cannot_open_is_told_while_compiling(
    engine, name, value, more, what_works
):
    with pytest.raises(SystemExit) as ended:
        compile_pipeline("census", engine, **{name: value}, **more)
    told = str(ended.value.code)
    assert told.startswith(f"error: {name}={value!r}: must be {what_works}") and "\n" not in told


def test_kubeflow_looks_for_the_input_in_a_step_of_its_own(compiled):
    spec = compiled["ncf", "kubeflow"][0]
    tasks = spec["root"]["dag"]["tasks"]
    uncached = {name for name, task in tasks.items() if not task["cachingOptions"]["enableCache"]}
    assert uncached == {"ResolveInput", "DataGate", "Evaluator"}
    generator = tasks["MovieLensExampleGen"]
    assert generator["dependentTasks"] == ["ResolveInput"]
    assert generator["inputs"]["parameters"]["resolved_input"]["taskOutputParameter"] == {
        "producerTask": "ResolveInput",
        "outputParameterKey": "resolved_input",
    }
    assert "lifecycle" not in json.dumps(spec) and "resolver" not in json.dumps(spec)


@pytest.mark.parametrize(("pipeline", "engine"), ALL)
def test_every_step_runs_the_image(compiled, pipeline, engine):
    found = containers(compiled[pipeline, engine])
    assert {container["image"] for container in found.values()} == {IMAGE}
    assert len(found) == (10 if engine == "kubeflow" else 9)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_changes_between_runs_is_a_parameter_with_a_default(compiled, pipeline):
    names = {"data_root", "dataset", "train_epochs", "seed", "accept_drift"} | BOUNDS[pipeline]
    (job,) = compiled[pipeline, "vertex"]
    assert set(job["runtimeConfig"]["parameters"]) == names
    assert job["runtimeConfig"]["parameters"]["seed"] == {"intValue": "0"}
    assert set(job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]) == names
    spec = compiled[pipeline, "kubeflow"][0]
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert set(parameters) == names
    assert parameters["data_root"]["defaultValue"] == ENVIRONMENT["DATA_ROOT"]
    assert repr(parameters["seed"]["defaultValue"]) == "0"
    assert spec["schemaVersion"] == "2.1.0"
    assert spec["defaultPipelineRoot"] == job["runtimeConfig"]["gcsOutputDirectory"]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_kubeflow_gets_are_messages_of_its_api(compiled, pipeline):
    spec, platform = compiled[pipeline, "kubeflow"]
    json_format.ParseDict(spec, PipelineSpec())
    json_format.ParseDict(platform, PlatformSpec())


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
    assert all(len(name) <= 63 for name in spec_of(compiled[pipeline, engine])["components"])


DATAFLOW = {
    "BEAM_ENGINE": "dataflow",
    "GOOGLE_CLOUD_PROJECT": "project",
    "GOOGLE_CLOUD_REGION": "region",
}


@pytest.mark.parametrize("engine", ENGINES)
def test_beam_steps_on_dataflow_carry_its_arguments_and_need_no_machine(engine):
    documents = compile_pipeline("census", engine, **DATAFLOW)
    for component, container in containers(documents).items():
        assert ("--runner=DataflowRunner" in container["args"]) == is_beam(component)
        assert (f"--sdk_container_image={IMAGE}" in container["args"]) == is_beam(component)
        assert bool(container.get("resources")) == (component == "Trainer")


@pytest.mark.parametrize("engine", ENGINES)
def test_trainer_without_gpus_asks_for_none(engine):
    documents = compile_pipeline("census", engine, TRAINER_GPUS="0")
    assert "accelerator" not in json.dumps(documents)
