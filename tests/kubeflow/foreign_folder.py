"""A folder outside the project, and what was done there."""

import os
from dataclasses import dataclass

import pytest

from pipeline.datasets.locate import locate
from pipeline.pipelines.registry import definition
from tests.kubeflow.container import container_environment
from tests.kubeflow.kfp_server import KfpServer
from tests.kubeflow.tfx_command import Done

BUCKET = "gs://bucket"
IMAGE = "registry.example/tfx-recommenders:1"
# Epochs and bounds with which the embedded sample is soon pushed.
QUICK: dict[str, dict[str, int | float]] = {
    "ncf": {"train_epochs": 8, "min_hit_rate": 0.3, "min_ndcg": 0.15},
    "movielens": {"train_epochs": 4, "max_rmse": 1.05},
    "census": {"train_epochs": 4, "min_accuracy": 0.78, "min_auc": 0.8},
}
# The quickest is in the lean suite; the others take minutes.
PIPELINES = [
    "ncf",
    pytest.param("movielens", marks=pytest.mark.slow),
    pytest.param("census", marks=pytest.mark.slow),
]


class ForeignFolder:
    """A folder outside the project, where somebody works with the installed package.

    Attributes:
        pipeline: The pipeline's name.
        path: The working folder.
        root: What PIPELINE_ROOT says.
        environment_of_image: What a container finds set.
        environment: The same, with the variables that the runner files read.
        for_kubeflow: The same for Kubeflow Pipelines with its own object store and a volume.
        for_vertex: The same for Vertex, with a bucket in the working folder's place.
    """

    def __init__(self, pipeline: str, path: str, packages: str):
        self.pipeline = pipeline
        self.path = path
        self.root = os.path.join(self.path, "results")
        self._packages = packages
        data = locate(
            definition(pipeline).load_catalog(),
            "sample",
            self.root,
            self.root,
            allow_download=False,
        )
        self.environment_of_image = container_environment(packages, self.path)
        self.environment = {
            **self.environment_of_image,
            "PIPELINE": pipeline,
            "SETTINGS": "preset=sample",
            "DATA_ROOT": data,
            "PIPELINE_ROOT": self.root,
            "PIPELINE_IMAGE": IMAGE,
            "TRAINER_GPUS": "0",
        }
        self.for_kubeflow = {
            **self.environment,
            "PIPELINE_ROOT": "minio://mlpipeline/v2/artifacts",
            "PIPELINE_VOLUME": f"pipelines:{self.root}",
        }
        self.for_vertex = {
            name: value.replace(path, BUCKET) if name.endswith("_ROOT") else value
            for name, value in self.environment.items()
        }

    def runner(self, name: str) -> str:
        """Returns the path of a runner file, such as "kubeflow/kubeflow_runner.py"."""
        return os.path.join(self._packages, name)

    def pushed(self) -> list[str]:
        """Returns the versions of the pushed model; each is a whole SavedModel."""
        serving = os.path.join(self.root, self.pipeline, "serving")
        versions = os.listdir(serving) if os.path.isdir(serving) else []
        assert all(os.path.isfile(os.path.join(serving, v, "saved_model.pb")) for v in versions)
        return versions


@dataclass(frozen=True)
class Upload:
    """A pipeline that the `tfx` command has brought to Kubeflow.

    Attributes:
        folder: Where the commands ran.
        server: What it got.
        done: What each command said, by its first two words.
    """

    folder: ForeignFolder
    server: KfpServer
    done: dict[str, Done]
