"""Which accepted statistics new ones are compared with."""

from typing import Any

from tfx import types
from tfx.dsl.components.common.resolver import ResolverStrategy

__all__ = ["ACCEPTED", "CURRENT", "DATASET", "SOURCE", "LatestOtherStatistics"]

ACCEPTED = "accepted"
CURRENT = "current"
# Custom properties of accepted statistics.
DATASET = "dataset"
SOURCE = "source"


class LatestOtherStatistics(ResolverStrategy):
    """Resolves the latest accepted statistics of a data set that are not a copy of the current.

    An unchanged run finds its statistics in TFX's cache. Compared with their own copy they would
    pass, and the data gate would have to run again, since it saw another one the first time.
    """

    def __init__(self, dataset: str):
        self._dataset = dataset

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Returns the current statistics and, as a list of at most one, those before them.

        Args:
            store: ML Metadata, not used.
            input_dict: `current`, and all artifacts known as `accepted`.
        """
        current = {statistics.uri for statistics in input_dict[CURRENT]}
        others = [
            statistics
            for statistics in input_dict[ACCEPTED]
            if statistics.get_string_custom_property(DATASET) == self._dataset
            and statistics.get_string_custom_property(SOURCE) not in current
        ]
        latest = sorted(others, key=lambda statistics: statistics.id)[-1:]
        return {CURRENT: input_dict[CURRENT], ACCEPTED: latest}
