"""The command line of the project, with Beam arguments on steps that the first argument names.

    python run_on_engine.py STEPS run PIPELINE ... -- BEAM_ARGUMENT ...

STEPS are component ids with commas between them.
"""

import os
import sys

import google.auth
from google.auth.credentials import AnonymousCredentials

import pipeline.pipeline
from pipeline.cli.main import main

_, steps, *rest = sys.argv
at = rest.index("--")
create_pipeline = pipeline.pipeline.create_pipeline


def create_pipeline_on_engine(config, deployment):
    dag = create_pipeline(config, deployment)
    for node in dag.components:
        if node.id in steps.split(","):
            node.with_beam_pipeline_args(rest[at + 1 :])
    return dag


pipeline.pipeline.create_pipeline = create_pipeline_on_engine
if "STORAGE_EMULATOR_HOST" in os.environ:
    # It asks for none; without them Beam looks for the machine's own for half a minute.
    google.auth.default = lambda *_, **__: (AnonymousCredentials(), None)
sys.exit(main(rest[:at]))
