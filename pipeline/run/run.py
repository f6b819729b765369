"""One run on this machine: data set, DAG, verdict, summary."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from components.evaluator.gates import Bound
from components.model_records.record import Record
from pipeline.config import Deployment, PipelineConfig
from pipeline.exit_code import ExitCode, outcome_of
from pipeline.imports import uncollected
from pipeline.run.console import quiet
from pipeline.run.deployment import local_deployment
from pipeline.run.history import keep_run, write_whole
from pipeline.run.lock import locked
from pipeline.run.remedies import find_remedy
from transforms.base.errors import UserError, find_user_error

# How a run ends with success: pushed, or not meant to push.
_PUSHED, _MEASURED = "pushed", "measured"


def run(
    config: PipelineConfig, dataset: str, data_folder: str, output_root: str, verbose: bool
) -> ExitCode:
    """Runs a pipeline from raw files to a verdict and returns how it ended.

    Everything the run keeps lies in `<output_root>/<pipeline>`: artifacts and metadata, which make
    an unchanged run cheap, the pushed models under `serving`, logs, `summary.json` and
    `report.html` of the latest run, and a record of every run under `runs`.

    Args:
        config: The pipeline's settings.
        dataset: The data set's name, for people to read.
        data_folder: The folder with its raw files.
        output_root: Where to keep results.
        verbose: Show the stack's own logs instead of progress alone.

    Raises:
        UserError: A setting, the input or the output folder is at fault.
    """
    home = os.path.abspath(os.path.join(output_root, config.pipeline))
    with ExitStack() as held:
        with _blaming(home):
            os.makedirs(home, exist_ok=True)
            held.enter_context(locked(home))
        deployment = local_deployment(config, dataset, data_folder, home)
        kept = _RunFiles(home, config, dataset, deployment.input_base)
        with _blaming(home):
            for file in (kept.summary_file, kept.report_file):
                with suppress(FileNotFoundError):
                    os.remove(file)
            terminal = held.enter_context(quiet(kept.log_file, verbose))
        started = f"{config.pipeline}: preset {config.preset}, data set {dataset}"
        print(started, file=terminal, flush=True)
        return _run_quietly(config, deployment, kept, terminal, verbose)


class _RunFiles:
    """What a run leaves for people to read.

    Attributes:
        home: The pipeline's folder under the output root.
        log_file: All that the stack wrote.
        summary_file: The latest run's summary.
        report_file: The latest run's report.
    """

    def __init__(self, home: str, config: PipelineConfig, dataset: str, data_folder: str):
        now = time.localtime()
        self.home = home
        self._name = time.strftime("%Y%m%d-%H%M%S", now)
        self.log_file = os.path.join(home, "logs", f"{self._name}.log")
        self.summary_file = os.path.join(home, "summary.json")
        self.report_file = os.path.join(home, "report.html")
        self._record = {
            "pipeline": config.pipeline,
            "preset": config.preset,
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z", now),
            "data": {"dataset": dataset, "folder": data_folder},
            "log": self.log_file,
        }

    def end(self, outcome: str, rest: dict[str, Any]) -> str | None:
        """Keeps the run's record, which `rest` completes, also as the latest summary.

        Returns:
            Which file could not be written and why, or None.
        """
        record = {**self._record, "outcome": outcome, **rest}
        try:
            write_whole(self.summary_file, keep_run(self.home, self._name, record))
        except OSError as error:
            return f"{error.filename or self.home}: {error.strerror}"
        return None


def _run_quietly(
    config: PipelineConfig, deployment: Deployment, kept: _RunFiles, terminal: Any, verbose: bool
) -> ExitCode:
    # Before Progress, which listens to this logger; the import decides of what kind it is.
    from absl import logging

    from pipeline.run.progress import Progress

    logging.set_verbosity(logging.INFO)
    logging.use_absl_handler()
    mistake, but = None, ""
    with Progress(terminal, live=not verbose) as progress:
        progress.start("starting TFX")
        with uncollected():
            from pipeline.pipeline import create_pipeline
            from pipeline.run.dag_runner import run_pipeline
            from pipeline.run.summary import summarise, summarise_stopped

        try:
            run_pipeline(create_pipeline(config, deployment), progress)
            progress.start("summary and report")
            summary, record = summarise(config, deployment, progress)
        except Exception as error:
            logging.exception("the run failed in %s", progress.running)
            mistake = find_user_error(error) or find_remedy(error, progress.running, kept.home)
            first_line = (str(error).strip() or "no message").splitlines()[0]
            fault = f"fault in {progress.running}: {type(error).__name__}: {first_line[:300]}"
            progress.fail()
            progress.start("summary and report")
            outcome = outcome_of(mistake) if mistake else ExitCode.FAULT
            reasons = mistake.reasons if mistake else [fault]
            known = summarise_stopped(config, deployment, progress)
            lost = kept.end(outcome.name.lower(), {"reasons": reasons, **known})
            lines = [] if mistake else [fault, f"the whole log: {_shown(kept.log_file)}"]
        else:
            refused = bool(record["reasons"])
            outcome = ExitCode.REFUSED_BY_MODEL_GATE if refused else ExitCode.SUCCESS
            told = outcome.name.lower() if refused else _PUSHED if record["blessed"] else _MEASURED
            lost = kept.end(told, summary)
            lines = _verdict_lines(summary, record, config.gate.limits().bounds_on)
            but = "pushed, but " if record["blessed"] else ""
        if lost:
            lines.append(f"{but}no record could be written: {lost}; mend that and run again")
        else:
            lines += [f"summary: {_shown(kept.summary_file)}", _draw_report(kept)]
    for line in lines:
        print(line, file=terminal)
    if mistake:
        raise mistake from None
    # The list of runs lacks this one, so that it is no whole success.
    return ExitCode.FAULT if lost and outcome is ExitCode.SUCCESS else outcome


def _verdict_lines(
    summary: Mapping[str, Any], record: Record, bounds: Iterable[Bound]
) -> list[str]:
    from components.evaluator.verdict import verdict_lines

    lines = verdict_lines({**record, "notes": summary["notes"]}, bounds)
    if summary["quarantine"]:
        count = summary["counters"]["quarantined"]
        lines.append(f"bad rows set aside: {count}, in {_shown(summary['quarantine'])}")
    if record["blessed"]:
        lines.append(f"blessed and pushed: {_shown(summary['pushed_model'])}")
        if recommendations := summary["lineage"].get("recommendations"):
            lines.append(f"recommendations: {_shown(recommendations)}")
        return lines
    return [*lines, "nothing was pushed"]


def _draw_report(kept: _RunFiles) -> str:
    """Draws the report and tells where it is, or why there is none; the verdict stands anyway.

    A pushed model gets its card.
    """
    from absl import logging

    try:
        from pipeline.run.report.model_card import write_model_card
        from pipeline.run.report.page import write_report

        write_report(kept.summary_file, kept.report_file)
        write_model_card(kept.summary_file)
    except Exception as error:
        logging.exception("the report could not be drawn")
        return (
            f"warning: no report: {type(error).__name__}: {error}; the whole log: {kept.log_file}"
        )
    return f"report: {_shown(kept.report_file)}"


@contextmanager
def _blaming(home: str) -> Iterator[None]:
    """Makes what the disk does not allow in the output folder a mistake of the user's."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{error.filename or home}: {error.strerror}; "
            "free space or choose another folder with --output-root"
        ) from error


def _shown(path: str) -> str:
    # Not through the link that a folder may need.
    real = os.path.realpath(path)
    relative = os.path.relpath(real)
    return real if relative.startswith("..") else relative
