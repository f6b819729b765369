"""Whether all users are recommended items after a push."""

import dataclasses
from typing import Annotated

from transforms.base.settings import Range, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class BulkConfig(Settings):
    """Settings of the BulkRecommender.

    Attributes:
        batch_top: How many items each user is recommended by a step after the push, in Parquet; 0
            leaves the step out.
    """

    batch_top: Annotated[int, Range(at_least=0, at_most=1000)] = 0
