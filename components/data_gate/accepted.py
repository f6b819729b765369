"""The statistics of the data that were accepted, by data set: what later data have to resemble."""

import os
import urllib.parse

from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList
from tfx import types
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils

from transforms.base.digest import digest


def read_statistics(artifact: types.Artifact) -> DatasetFeatureStatisticsList:
    """Returns what StatisticsGen made, a dataset for each split, named as the split is."""
    found = DatasetFeatureStatisticsList()
    for split in artifact_utils.decode_split_names(artifact.split_names):
        path = os.path.join(artifact_utils.get_split_uri([artifact], split), "FeatureStats.pb")
        with fileio.open(path, "rb") as file:
            (dataset,) = DatasetFeatureStatisticsList.FromString(file.read()).datasets
        dataset.name = split
        found.datasets.append(dataset)
    return found


class AcceptedStatistics:
    """The accepted statistics of one data set, the latest of which is in force.

    Data that merely pass do not take their place, so that drift by small steps adds up. A file for
    each acceptance has a number, which counts up, and a digest. It depends on no setting and no
    artifact, and outlives both.
    """

    def __init__(self, root: str, dataset: str):
        """Looks there; nothing need be there yet.

        Args:
            root: Local, gs:// or s3://.
            dataset: The data set's name.
        """
        self._folder = os.path.join(root, f"dataset-{urllib.parse.quote(dataset, safe='')}")
        found = fileio.listdir(self._folder) if fileio.exists(self._folder) else []
        self._names = sorted((name for name in found if name.endswith(".pb")), reverse=True)

    def names(self) -> list[str]:
        """Returns the names of all that were there at first, the latest first."""
        return self._names

    def holds(self, statistics: DatasetFeatureStatisticsList) -> bool:
        """Returns whether these are the latest that were accepted."""
        return any(_digest_in(name) == _digest(statistics) for name in self.names()[:1])

    def before(self, statistics: DatasetFeatureStatisticsList) -> str:
        """Returns the name of the latest that are not these themselves, or ""."""
        return next(iter(self.names()[self.holds(statistics) :]), "")

    def read(self, name: str) -> DatasetFeatureStatisticsList:
        """Returns the statistics of that name."""
        with fileio.open(os.path.join(self._folder, name), "rb") as file:
            return DatasetFeatureStatisticsList.FromString(file.read())

    def accept(self, statistics: DatasetFeatureStatisticsList) -> None:
        """Makes them the latest, whole or not at all, if they are not that already."""
        if self.holds(statistics):
            return
        latest = next(iter(self.names()), "0-")
        number = int(latest.partition("-")[0]) + 1
        path = os.path.join(self._folder, f"{number:06d}-{_digest(statistics)}.pb")
        io_utils.write_bytes_file(f"{path}.part", statistics.SerializeToString(deterministic=True))
        fileio.rename(f"{path}.part", path, overwrite=True)


def _digest(statistics: DatasetFeatureStatisticsList) -> str:
    return digest(statistics.SerializeToString(deterministic=True))


def _digest_in(name: str) -> str:
    return name.partition("-")[2].removesuffix(".pb")
