"""Arguments that several commands share."""

import argparse
from collections.abc import Callable

from pipeline.cli import completion
from pipeline.pipelines.registry import pipelines


def complete(argument: argparse.Action, candidates: Callable[..., list[str]]) -> None:
    """Has Tab offer what a function of `completion` returns."""
    argument.completer = candidates  # type: ignore[attr-defined]


def add_set(parser: argparse.ArgumentParser) -> None:
    """Adds the option that changes a setting."""
    pair = parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a setting, or choose a preset with preset=NAME; may be repeated; the command "
        "settings lists them",
    )
    complete(pair, completion.settings)


def add_pipeline(parser: argparse.ArgumentParser) -> None:
    """Adds the argument that names a pipeline."""
    parser.add_argument("pipeline", choices=tuple(pipelines()), help="which one")


def add_output_root(parser: argparse.ArgumentParser) -> None:
    """Adds the option that names the folder for all results."""
    parser.add_argument(
        "--output-root",
        type=_local_folder,
        default="output",
        metavar="FOLDER",
        help="folder for all results (default: %(default)s)",
    )


def _local_folder(text: str) -> str:
    if not text or "://" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder on this machine")
    return text
