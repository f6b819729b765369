"""Workload: a raw ratings file to tf.Examples, as the ExampleGen's executor does it in Beam."""

import tempfile

from tfx.types import standard_artifacts, standard_component_specs

from benchmarks.timing import Timing, timed
from components.movielens_gen.component import MovieLensExampleGen
from components.movielens_gen.config import LeaveOneOutConfig, RatingSplitConfig
from components.movielens_gen.executor import LeaveOneOutExecutor, RatingSplitExecutor
from transforms.base.in_process_beam import LOCAL_ARGS


def leave_one_out(folder: str, repeats: int) -> Timing:
    """Times ncf's form, an Example per user with 100 negatives."""
    return _generate(folder, LeaveOneOutConfig(), LeaveOneOutExecutor, repeats)


def rating_split(folder: str, repeats: int) -> Timing:
    """Times movielens's form, an Example per rating with the genres of its movie."""
    return _generate(folder, RatingSplitConfig(), RatingSplitExecutor, repeats)


def _generate(
    folder: str,
    config: LeaveOneOutConfig | RatingSplitConfig,
    executor: type[LeaveOneOutExecutor] | type[RatingSplitExecutor],
    repeats: int,
) -> Timing:
    properties = MovieLensExampleGen(folder, config).exec_properties
    examples = standard_artifacts.Examples()
    context = executor.Context(beam_pipeline_args=list(LOCAL_ARGS))

    def run() -> None:
        with tempfile.TemporaryDirectory() as examples.uri:
            outputs = {standard_component_specs.EXAMPLES_KEY: [examples]}
            executor(context).Do({}, outputs, properties)

    return Timing(timed(run, repeats), examples.get_int_custom_property("rows"))
