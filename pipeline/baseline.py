"""Which model a candidate is compared with."""

from typing import Any

from tfx import types
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)

__all__ = ["CANDIDATE", "MODEL", "MODEL_BLESSING", "LatestOtherBlessedModel"]

CANDIDATE = "candidate"
MODEL = "model"
MODEL_BLESSING = "model_blessing"


class LatestOtherBlessedModel(LatestBlessedModelStrategy):
    """Resolves the latest blessed model that is not the candidate itself.

    A model that TFX takes from its cache has been blessed before. Compared with itself it would
    pass, and it would have to be evaluated again, since its baseline is another than the first
    time. Left out, an unchanged run finds the same baseline and everything in the cache.
    """

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Returns the baseline and its blessing, both lists empty when there is none.

        Args:
            store: ML Metadata, not used.
            input_dict: `candidate`, and all artifacts known as `model` and `model_blessing`.
        """
        candidates = {artifact.id for artifact in input_dict[CANDIDATE]}
        others = {
            MODEL: [model for model in input_dict[MODEL] if model.id not in candidates],
            MODEL_BLESSING: input_dict[MODEL_BLESSING],
        }
        return {
            CANDIDATE: input_dict[CANDIDATE],
            **self._resolve(others, MODEL, MODEL_BLESSING),
        }
