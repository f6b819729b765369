"""Runs a pipeline on this machine with TFX's LocalDagRunner, as `tfx --engine local` does.

Environment variables: PIPELINE, the pipeline's name; DATA_ROOT, the folder of its raw files
(default: the embedded sample); PIPELINE_ROOT, the folder for results (default: output); SETTINGS,
`name=value` pairs with blanks between them.
"""

import os
import sys

# The tfx command puts this file's folder first on the path, where pipeline.py would be taken for
# the package of that name.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from pipeline.environment import one_line_mistakes
from pipeline.pipeline import create_pipeline
from pipeline.run.deployment import from_environment


def run() -> None:
    """Runs the pipeline that the environment describes."""
    with one_line_mistakes():
        LocalDagRunner().run(create_pipeline(*from_environment(os.environ)))


if __name__ == "__main__":
    run()
