"""Environment variables that describe a cluster."""

from pipeline.environment import Environment
from transforms.base.errors import UserError

_MEANINGS = {
    "DATA_ROOT": "the folder of the raw files, such as gs://bucket/ml-1m",
    "PIPELINE_ROOT": "the folder for all results, such as gs://bucket/pipelines",
    "PIPELINE_IMAGE": "the container image, such as registry.example/tfx-recommenders:1",
    "GOOGLE_CLOUD_PROJECT": "the Google Cloud project",
    "GOOGLE_CLOUD_REGION": "the Google Cloud region, such as europe-west4",
    "BEAM_MASTER": "the address of Flink's job manager, or of Beam's job server for Spark",
}


class ClusterEnvironment(Environment):
    """Environment variables some of which have to be set, or are counts."""

    def required(self, name: str) -> str:
        """Returns the value of a variable that has no default.

        Raises:
            UserError: It is not set.
        """
        value = self.get(name)
        if not value:
            raise UserError(f"{name} is not set: {_MEANINGS[name]}; export {name}=...")
        return value

    def count(self, name: str, default: int) -> int:
        """Returns a variable's value as a whole number, at least 0.

        Raises:
            UserError: It is none.
        """
        text = self.get(name, str(default))
        if not text.isascii() or not text.isdigit():
            raise UserError(f"{name}={text!r}: must be a whole number, at least 0")
        return int(text)
