"""Which pipelines there are: the project's own, and those that installed packages bring."""

import functools
from collections.abc import Mapping
from importlib import metadata

from pipeline.pipelines.definition import PipelineDefinition, named
from transforms.base.errors import UserError
from transforms.base.settings import OneOf, nearest

ENTRY_POINTS = "tfx_recommenders.pipelines"
"""The group of entry points under which a package names its PipelineDefinitions."""

_OWN = ("ncf", "movielens", "census")


@functools.cache
def pipelines() -> Mapping[str, PipelineDefinition]:
    """Returns the pipelines by name, the project's own first.

    Raises:
        UserError: A package's pipeline cannot be loaded, or has the name of another.
    """
    found = {name: named(f"pipeline.pipelines.{name}.PIPELINE") for name in _OWN}
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        try:
            loaded = entry.load()
        except Exception as error:
            raise UserError(
                f"pipeline {entry.name}: {entry.value} cannot be loaded "
                f"({type(error).__name__}: {error}); mend or uninstall its package"
            ) from error
        if loaded.name in found:
            raise UserError(f"pipeline {loaded.name}: {entry.value} takes a name that is taken")
        found[loaded.name] = loaded
    return found


def definition(name: str) -> PipelineDefinition:
    """Returns a pipeline.

    Raises:
        UserError: There is none of that name; the message names the nearest.
    """
    known = pipelines()
    OneOf(*known).check("pipeline", name)
    return known[name]


def pipeline_of(dataset: str) -> PipelineDefinition:
    """Returns a pipeline that uses the data set.

    Raises:
        UserError: No pipeline knows a data set of that name.
    """
    known: list[str] = []
    for found in pipelines().values():
        datasets = found.load_catalog().datasets
        if dataset in datasets:
            return found
        known += datasets
    raise UserError(
        f"dataset={dataset!r}: must be one of {', '.join(sorted(set(known)))}"
        f"{nearest(dataset, known)}"
    )
