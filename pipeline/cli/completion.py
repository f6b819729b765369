"""Completion by Tab in bash and zsh."""

import argparse
import os

from pipeline.configs import PRESETS
from pipeline.parts import PARTS
from pipeline.settings import setting_values

__all__ = ["answer_shell", "datasets", "presets", "script", "settings"]

# The console script of setup.py: a shell completes the arguments of a name.
_COMMAND = "tfx-recommenders"


def answer_shell(parser: argparse.ArgumentParser) -> None:
    """Prints what may follow, and exits, when it is a shell that runs the command line to know."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)


def script() -> str:
    """Returns what bash and zsh have to run to complete."""
    import argcomplete

    return argcomplete.shellcode([_COMMAND])


def presets(parsed_args: argparse.Namespace, **unused: object) -> list[str]:
    """Returns the presets of the pipeline that was typed."""
    return [config.preset for config in PRESETS[parsed_args.pipeline]]


def settings(parsed_args: argparse.Namespace, **unused: object) -> list[str]:
    """Returns what `--set` may begin with for the pipeline that was typed."""
    names = setting_values(PRESETS[parsed_args.pipeline][0])
    return [f"preset={name}" for name in presets(parsed_args)] + [f"{name}=" for name in names]


def datasets(parsed_args: argparse.Namespace, **unused: object) -> list[str]:
    """Returns the data sets of the pipeline that was typed, or of all, and the user's folders."""
    pipeline = getattr(parsed_args, "pipeline", None)
    known = {
        name
        for parts in ([PARTS[pipeline]] if pipeline else PARTS.values())
        for name in parts.catalog().datasets
    }
    root = parsed_args.data_root or "data"
    if pipeline and os.path.isdir(root):
        known |= {entry.name for entry in os.scandir(root) if entry.is_dir()}
    return sorted(known)
