"""Completion by Tab in bash and zsh."""

import argparse
import os

from pipeline.config import preset
from pipeline.pipelines.registry import definition, pipelines
from pipeline.settings import setting_values

# The console script of setup.py: a shell completes the arguments of a name.
_COMMAND = "tfx-recommenders"


def answer_shell(parser: argparse.ArgumentParser) -> None:
    """Prints what may follow, and exits, when it is a shell that runs the command line to know."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)


def script() -> str:
    """Returns what bash and zsh have to run to complete."""
    from argcomplete.shell_integration import shellcode

    return shellcode([_COMMAND])


def presets(parsed_args: argparse.Namespace, **unused: object) -> list[str]:
    """Returns the presets of the pipeline that was typed."""
    return list(definition(parsed_args.pipeline).presets)


def settings(parsed_args: argparse.Namespace, **unused: object) -> list[str]:
    """Returns what `--set` may begin with for the pipeline that was typed."""
    names = setting_values(preset(parsed_args.pipeline))
    return [f"preset={name}" for name in presets(parsed_args)] + [f"{name}=" for name in names]


def datasets(parsed_args: argparse.Namespace, **unused: object) -> list[str]:
    """Returns the data sets of the pipeline that was typed, or of all, and the user's folders."""
    pipeline = getattr(parsed_args, "pipeline", None)
    known = {
        name
        for found in ([definition(pipeline)] if pipeline else pipelines().values())
        for name in found.load_catalog().datasets
    }
    root = parsed_args.data_root or "data"
    if pipeline and os.path.isdir(root):
        known |= {entry.name for entry in os.scandir(root) if entry.is_dir()}
    return sorted(known)
