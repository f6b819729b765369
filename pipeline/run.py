"""One run on this machine: data set, DAG, verdict, summary."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

from pipeline.configs import Location, PipelineConfig
from pipeline.console import quiet
from pipeline.exit_code import ExitCode
from pipeline.fingerprint import code_fingerprints
from pipeline.parts import PARTS
from transforms.errors import UserError, find_user_error

__all__ = ["run"]

_SHARED_BY_GENERATORS = ("transforms", "components.example_gen")
_SHARED_BY_TRAINERS = ("transforms.checks", "components.training", "components.ranking_metrics")


def run(
    config: PipelineConfig, dataset: str, data_folder: str, output_root: str, verbose: bool
) -> ExitCode:
    """Runs a pipeline from raw files to a verdict and returns how it ended.

    Everything the run keeps lies in `<output_root>/<pipeline>`: artifacts and metadata, which make
    an unchanged run cheap, the pushed models under `serving`, logs, and `summary.json`.

    Args:
        config: The pipeline's settings.
        dataset: The data set's name, for the first line.
        data_folder: The folder with its raw files.
        output_root: Where to keep results.
        verbose: Show the stack's own logs instead of progress alone.

    Raises:
        UserError: A setting, the input or the output folder is at fault.
    """
    home = os.path.abspath(os.path.join(output_root, config.pipeline))
    log_file = os.path.join(home, "logs", time.strftime("%Y%m%d-%H%M%S.log"))
    summary_file = os.path.join(home, "summary.json")
    try:
        os.makedirs(home, exist_ok=True)
        lock = _locked(home)
        with lock:
            if os.path.exists(summary_file):
                os.remove(summary_file)
            location = _location(config, data_folder, home)
            print(f"{config.pipeline}: preset {config.preset}, data set {dataset}", flush=True)
            with quiet(log_file, verbose) as terminal:
                return _run_quietly(config, location, summary_file, log_file, terminal)
    except OSError as error:
        raise UserError(
            f"{error.filename or home}: {error.strerror}; "
            "free space or choose another folder with --output-root"
        ) from error


def _run_quietly(
    config: PipelineConfig, location: Location, summary_file: str, log_file: str, terminal: Any
) -> ExitCode:
    # The stack takes seconds to import, and says a lot while it does.
    from absl import logging

    logging.set_verbosity(logging.INFO)
    logging.use_absl_handler()
    from pipeline.pipeline import create_pipeline
    from pipeline.progress import Progress
    from pipeline.runner import run_pipeline
    from pipeline.summary import summarise

    with Progress(terminal) as progress:
        try:
            run_pipeline(create_pipeline(config, location), progress)
        except Exception as error:
            logging.exception("the run failed in %s", progress.running)
            mistake = find_user_error(error)
            if mistake is not None:
                raise mistake from None
            first_line = (str(error).strip() or "no message").splitlines()[0]
            print(
                f"fault in {progress.running}: {type(error).__name__}: {first_line[:300]}\n"
                f"the whole log: {log_file}",
                file=terminal,
            )
            return ExitCode.FAULT
        summary, verdict = summarise(config, location, progress, summary_file)
    for row in verdict.rows:
        print(f"  {row}", file=terminal)
    if not verdict.blessed:
        for reason in verdict.reasons:
            print(f"refused: {reason}", file=terminal)
        print(f"nothing was pushed; summary: {_shown(summary_file)}", file=terminal)
        return ExitCode.REFUSED_BY_MODEL_GATE
    print(f"blessed and pushed: {_shown(summary['pushed_model'])}", file=terminal)
    print(f"summary: {_shown(summary_file)}", file=terminal)
    return ExitCode.PUSHED


def _location(config: PipelineConfig, data_folder: str, home: str) -> Location:
    parts = PARTS[config.pipeline]
    return Location(
        input_base=os.path.abspath(data_folder),
        pipeline_root=os.path.join(home, "artifacts"),
        serving_dir=os.path.join(home, "serving"),
        schema_file=_publish_schema(
            parts.trainer, f"{parts.prefix}schema.pbtxt", os.path.join(home, "schemas")
        ),
        metadata_file=os.path.join(home, "metadata.sqlite"),
        checkpoint_root=os.path.join(home, "checkpoints"),
        code=code_fingerprints(
            example_gen=(parts.example_gen, *_SHARED_BY_GENERATORS),
            transform=(parts.module("preprocessing"), parts.module("features")),
            trainer=(parts.trainer, *_SHARED_BY_TRAINERS),
        ),
    )


def _publish_schema(package: str, name: str, folder: str) -> str:
    """Returns the path of a copy of the schema that is named after its content.

    TFX's cache knows a schema by its path: a path that changes with the content makes it see an
    edited schema.
    """
    source = resources.files(package) / name
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    path = os.path.join(folder, digest, name)
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with resources.as_file(source) as file:
            shutil.copyfile(file, f"{path}.part")
        os.replace(f"{path}.part", path)
    return path


@contextmanager
def _locked(home: str) -> Iterator[None]:
    """Holds the output folder's lock, which ends with the process however that ends."""
    with open(os.path.join(home, "lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{home}: another run is at work here; wait for it or use another --output-root"
            ) from None
        yield


def _shown(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
