import pytest

from kubeflow.cluster import Cluster, Resources
from pipeline.environment import Environment, one_line_mistakes
from transforms.base.errors import UserError

COMPLETE = {"DATA_ROOT": "gs://b/d", "PIPELINE_ROOT": "gs://b/p/", "PIPELINE_IMAGE": "image:1"}

MISTAKES = {
    "no data": ({"DATA_ROOT": ""}, "DATA_ROOT is not set"),
    "no root": ({"PIPELINE_ROOT": ""}, "PIPELINE_ROOT is not set"),
    "no image": ({"PIPELINE_IMAGE": ""}, "PIPELINE_IMAGE is not set"),
    "unknown pipeline": ({"PIPELINE": "cencus"}, "PIPELINE='cencus'.*did you mean census"),
    "unknown setting": ({"SETTINGS": "epochs=3"}, "ncf has no setting 'epochs'"),
    "setting out of range": ({"SETTINGS": "train_epochs=0"}, "train_epochs=0: must be at least 1"),
    "GPUs that are no number": ({"TRAINER_GPUS": "-1"}, "TRAINER_GPUS='-1': must be a whole"),
    "GPUs as a setting": ({"SETTINGS": "num_gpus=4"}, "num_gpus=4: must be left out.*TRAINER_GPUS"),
    "unknown engine": ({"BEAM_ENGINE": "dask"}, "BEAM_ENGINE='dask': must be one of"),
    "no workers": ({"BEAM_MAX_WORKERS": "0"}, "BEAM_MAX_WORKERS=0: must be at least 1"),
    "Dataflow without a project": ({"BEAM_ENGINE": "dataflow"}, "GOOGLE_CLOUD_PROJECT is not set"),
    "Flink without a master": ({"BEAM_ENGINE": "flink"}, "BEAM_MASTER is not set"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_that_names_the_variable(case):
    changes, message = MISTAKES[case]
    with pytest.raises(UserError, match=message) as caught:
        Cluster.from_environment({**COMPLETE, **changes}, "kubeflow")
    assert "\n" not in str(caught.value)


def test_settings_and_gpus_reach_the_trainer():
    cluster = Cluster.from_environment(
        {**COMPLETE, "PIPELINE": "census", "SETTINGS": "preset=wide_deep_2018 seed=3"}, "vertex"
    )
    assert cluster.config.preset == "wide_deep_2018"
    assert cluster.config.trainer.seed == cluster.config.data.seed == 3
    assert cluster.config.trainer.num_gpus == 1
    assert cluster.deployment.pipeline_root == "gs://b/p/census/artifacts"


def test_resources_and_accounts_reach_what_they_are_for():
    resources = {"BEAM_CPUS": "2", "BEAM_MEMORY_GIB": "3", "TRAINER_GPU_TYPE": "nvidia-l4"}
    cluster = Cluster.from_environment({**COMPLETE, **resources, "TRAINER_GPUS": "5"}, "vertex")
    assert cluster.gpu_type == "nvidia-l4"
    assert cluster.resources("Trainer") == Resources(gpus=5)
    assert cluster.resources("Transform") == Resources(cpus=2, memory_gib=3)
    project = {"GOOGLE_CLOUD_PROJECT": "project", "GOOGLE_CLOUD_REGION": "region"}
    account = {"SERVICE_ACCOUNT": "worker@project.example"}
    dataflow = {**COMPLETE, **project, **account, "BEAM_ENGINE": "dataflow"}
    engine = Cluster.from_environment(dataflow, "vertex").beam_engine
    assert "--service_account_email=worker@project.example" in engine.args("Transform")


def test_an_empty_variable_counts_as_not_set():
    assert Environment({"PIPELINE": ""}).config("sample").preset == "sample"


def test_a_mistake_ends_the_process_without_a_traceback():
    with pytest.raises(SystemExit) as caught, one_line_mistakes():
        raise RuntimeError("in Beam") from UserError("num_gpus=-1: must be at least 0")
    assert caught.value.code == "error: num_gpus=-1: must be at least 0"


def test_a_fault_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), one_line_mistakes():
        raise ZeroDivisionError
