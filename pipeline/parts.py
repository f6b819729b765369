"""What differs between the pipelines, by name: data sets, code, schema, label, slices.

Names only, so that the command line can use them without importing what they name.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # It brings what downloads need.
    from pipeline.datasets.catalog import Catalog

__all__ = ["PARTS", "Parts"]

_MOVIELENS_DATASETS = "pipeline.datasets.movielens.MOVIELENS"
_CENSUS_DATASETS = "pipeline.datasets.census.CENSUS"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one pipeline.

    Attributes:
        datasets: Dotted name of the catalogue of its data sets.
        real_dataset: The data set that is meant when a data root is given and no name.
        example_gen: The package of its ExampleGen.
        trainer: The package of its trainer.
        transform_settings: The trainer's settings that preprocessing depends on.
        label: The raw feature that holds the label.
        slices: Features whose values are reported one by one.
        slice_signature: The model's signature that makes those features; "" for raw ones.
    """

    datasets: str
    real_dataset: str
    example_gen: str
    trainer: str
    transform_settings: tuple[str, ...] = ()
    label: str
    slices: tuple[str, ...] = ()
    slice_signature: str = ""

    def catalog(self) -> "Catalog":
        """Returns the catalogue of data sets."""
        module, _, name = self.datasets.rpartition(".")
        return getattr(import_module(module), name)

    def module(self, name: str) -> str:
        """Returns the dotted name of a module of the trainer, such as "preprocessing"."""
        return f"{self.trainer}.{name}"


PARTS = {
    "ncf": Parts(
        datasets=_MOVIELENS_DATASETS,
        real_dataset="ml-1m",
        example_gen="components.movielens_gen",
        trainer="components.ncf_trainer",
        label="label",
    ),
    "movielens": Parts(
        datasets=_MOVIELENS_DATASETS,
        real_dataset="ml-1m",
        example_gen="components.movielens_gen",
        trainer="components.wide_deep_trainer.ratings",
        label="rating",
        slices=("genre",),
        slice_signature="slice_features",
    ),
    "census": Parts(
        datasets=_CENSUS_DATASETS,
        real_dataset="census",
        example_gen="components.census_gen",
        trainer="components.wide_deep_trainer.census",
        transform_settings=("hash_buckets", "quantile_bins"),
        label="label",
        slices=("gender", "race"),
    ),
}
"""The pipelines by name."""
