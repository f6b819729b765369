"""What a pipeline on this machine computes, and where it keeps what it makes."""

import os
from collections.abc import Mapping

from pipeline.config import Deployment, PipelineConfig
from pipeline.datasets.locate import locate
from pipeline.environment import Environment
from pipeline.fingerprint import code_fingerprints
from pipeline.run.plain_folder import plain_folder
from transforms.base.settings import check


def from_environment(variables: Mapping[str, str]) -> tuple[PipelineConfig, Deployment]:
    """Returns the settings and the deployment that environment variables describe.

    Args:
        variables: As the runner files document them.

    Raises:
        UserError: A variable has a value that is not allowed.
    """
    environment = Environment(variables)
    data_root = environment.get("DATA_ROOT")
    config = environment.config("" if data_root else "sample")
    root = environment.get("PIPELINE_ROOT", "output")
    check("://" not in root, "PIPELINE_ROOT", root, "a folder on this machine, where SQLite can be")
    root = plain_folder(root, make=True)
    if not data_root:
        folder = os.path.join(root, "data")
        catalog = config.definition.load_catalog()
        data_root = locate(catalog, "sample", folder, folder, allow_download=False)
    dataset = os.path.basename(os.path.normpath(data_root))
    home = os.path.join(root, config.pipeline)
    return config, local_deployment(config, dataset, data_root, home)


def local_deployment(
    config: PipelineConfig, dataset: str, data_folder: str, home: str
) -> Deployment:
    """Returns a pipeline's deployment on this machine's disk.

    Args:
        config: The pipeline's settings.
        dataset: The data set's name.
        data_folder: The folder of the data set; gs:// and the like may be.
        home: The folder for artifacts, metadata, checkpoints and pushed models.
    """
    home = os.path.abspath(home)
    os.makedirs(home, exist_ok=True)
    return Deployment(
        dataset=dataset,
        input_base=data_folder if "://" in data_folder else os.path.abspath(data_folder),
        pipeline_root=os.path.join(home, "artifacts"),
        serving_dir=os.path.join(home, "serving"),
        accepted_root=os.path.join(home, "accepted"),
        checkpoint_root=os.path.join(home, "checkpoints"),
        metadata_file=os.path.join(home, "metadata.sqlite"),
        code=code_fingerprints(config.definition, config.schema),
    )
