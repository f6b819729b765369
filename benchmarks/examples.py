"""Workload: a raw ratings file to tf.Examples, as the ExampleGen's executor does it in Beam."""

import tempfile
from collections.abc import Mapping
from typing import Any

from tfx.types import standard_artifacts, standard_component_specs

from benchmarks.timing import Timing, timed
from components.movielens_gen.component import MovieLensExampleGen
from components.movielens_gen.config import LeaveOneOutConfig, RatingSplitConfig
from components.movielens_gen.executor import LeaveOneOutExecutor, RatingSplitExecutor
from transforms.base.in_process_beam import LOCAL_ARGS

_Config = LeaveOneOutConfig | RatingSplitConfig
_Executor = LeaveOneOutExecutor | RatingSplitExecutor


def leave_one_out(folder: str, repeats: int) -> Timing:
    """Times ncf's form, an Example per user with 100 negatives."""
    return _generate(folder, LeaveOneOutConfig(), LeaveOneOutExecutor, repeats)


def rating_split(folder: str, repeats: int) -> Timing:
    """Times movielens's form, an Example per user with the genres of the rated movies."""
    return _generate(folder, RatingSplitConfig(), RatingSplitExecutor, repeats)


def write_leave_one_out(folder: str, uri: str) -> None:
    """Writes ncf's Examples into an artifact's folder."""
    _write(folder, LeaveOneOutConfig(), LeaveOneOutExecutor, uri)


def write_rating_split(folder: str, uri: str, settings: Mapping[str, Any]) -> None:
    """Writes movielens's Examples into an artifact's folder, of what a RatingSplitConfig takes."""
    _write(folder, RatingSplitConfig(**settings), RatingSplitExecutor, uri)


def _generate(folder: str, config: _Config, executor: type[_Executor], repeats: int) -> Timing:
    rows = 0

    def run() -> None:
        nonlocal rows
        with tempfile.TemporaryDirectory() as uri:
            rows = _write(folder, config, executor, uri)

    return Timing(timed(run, repeats), rows)


def _write(folder: str, config: _Config, executor: type[_Executor], uri: str) -> int:
    """Writes Examples and returns of how many rows."""
    examples = standard_artifacts.Examples()
    examples.uri = uri
    context = executor.Context(beam_pipeline_args=list(LOCAL_ARGS))
    outputs = {standard_component_specs.EXAMPLES_KEY: [examples]}
    executor(context).Do({}, outputs, MovieLensExampleGen(folder, config).exec_properties)
    rows: int = examples.get_int_custom_property("rows")
    return rows
